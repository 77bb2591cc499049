import type { Invalid, SourceNode, Spot } from './source.ts';

/** The part of JSON Schema that we write. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** How one sort of value is read, checked, printed and described. */
export interface Kind<T> {
  /** For the reference: `duration`, `integer`, a choice of words. */
  readonly title: string;
  readonly jsonSchema: JsonSchema;
  /** Is a value of blanks the same as none? */
  readonly trims?: boolean;
  /** Must never be shown. */
  readonly secret?: boolean;
  /** Settings inside, for the reference; with names of the operator's choice in between or not. */
  readonly inside?: { readonly fields: Fields; readonly perName: boolean };
  read(node: SourceNode, spot: Spot): T | Invalid;
  /** As somebody would write it. */
  print(value: T): string;
}

/** An environment variable that beats the key of a file when it is not empty. */
export interface EnvironmentOverride {
  readonly variable: string;
  /** Leave an unusable value aside instead of refusing it. */
  readonly skipInvalid?: boolean;
}

/** One setting. `T` is what the program gets. */
export interface Field<T> {
  readonly key: string;
  readonly about: string;
  readonly required: boolean;
  readonly env: EnvironmentOverride | undefined;
  readonly kind: Pick<Kind<T>, 'title' | 'jsonSchema' | 'secret' | 'inside'>;
  /** The default as somebody would write it; undefined when there is none. */
  readonly defaultText: string | undefined;
  /** What the program gets when nothing is set; complains where something has to be. */
  unset(spot: Spot): T | Invalid;
  read(node: SourceNode, spot: Spot): T | Invalid;
  /** Reads a variable; undefined when that counts as unset. */
  readVariable(raw: string, spot: Spot): { readonly value: T | Invalid } | undefined;
  print(value: T): string;
}

/** The settings of something, by the names that the program calls them. */
export type Fields = { readonly [property: string]: Field<unknown> };

/** Narrows what a kind takes; the rule completes the sentence that begins with the key: `must be positive`. */
export function checked<T>(kind: Kind<T>, rule: (value: T) => string | undefined): Kind<T> {
  return {
    ...kind,
    print: (value) => kind.print(value),
    read(node, spot) {
      const value = kind.read(node, spot);
      if (typeof value === 'symbol') return value;
      const broken = rule(value);
      return broken === undefined ? value : spot.fail(`${spot.name} ${broken}`, node);
    },
  };
}
