import { checked, type EnvironmentOverride, type Field, type Kind } from './kind.ts';
import { type Invalid, type SourceNode, type Spot, textNode } from './source.ts';

interface CommonOptions<T> {
  /** What it does, for the reference: one or two sentences of Markdown. */
  readonly about: string;
  /** Completes the sentence that begins with the key when a value will not do: `must name one of our networks`. */
  readonly check?: (value: T) => string | undefined;
  /** Puts the sentence about a bad value into the words that somebody relies on. */
  readonly rephrase?: (text: string, written: string) => string;
  readonly env?: EnvironmentOverride;
}

export interface RequiredOptions<T> extends CommonOptions<T> {
  /** Completes the sentence that begins with the key when it is missing; "must be set" if nothing else is said. */
  readonly missing?: string;
}

export interface OptionalOptions<T, D, E> extends CommonOptions<T> {
  readonly default?: D;
  /** What it means that a variable is there, but empty. Without this it counts as unset. */
  readonly whenEmpty?: E;
  /** What the reference shows as the default, where that is worked out elsewhere. */
  readonly shownDefault?: string;
}

/** A setting without which the program does not start. */
export function required<T>(key: string, kind: Kind<T>, options: RequiredOptions<T>): Field<NoInfer<T>> {
  return build<T, T>(key, kind, options, {
    required: true,
    defaultText: undefined,
    unset: (spot) => spot.fail(`${spot.name} ${options.missing ?? 'must be set'}`),
    empty: undefined,
  });
}

/** A setting with a default; without one the program gets undefined. */
export function optional<
  T,
  const D extends T | null | undefined = undefined,
  const E extends T | null = never,
>(key: string, kind: Kind<T>, options: OptionalOptions<T, D, E>): Field<NoInfer<T | D | E>> {
  const fallback = options.default as D;
  const shown = options.shownDefault ?? (isValue(fallback) ? kind.print(fallback) : undefined);
  return build<T, T | D | E>(key, kind, options, {
    required: false,
    defaultText: shown,
    unset: () => fallback,
    empty: 'whenEmpty' in options ? { value: options.whenEmpty as E } : undefined,
  });
}

const isValue = <T>(value: T): value is NonNullable<T> => value !== undefined && value !== null;

interface Presence<Out> {
  readonly required: boolean;
  readonly defaultText: string | undefined;
  readonly unset: (spot: Spot) => Out | Invalid;
  readonly empty: { readonly value: Out } | undefined;
}

function build<T, Out extends T | null | undefined>(
  key: string,
  kind: Kind<T>,
  { about, check, rephrase, env }: CommonOptions<T>,
  { empty, ...presence }: Presence<Out>,
): Field<T | Out> {
  const strict = check === undefined ? kind : checked(kind, check);
  const read = (node: SourceNode, spot: Spot): T | Invalid => {
    if (rephrase === undefined) return strict.read(node, spot);
    const apart = spot.apart();
    const value = strict.read(node, apart);
    const written = node.type === 'scalar' ? node.text : '';
    for (const { text } of apart.findings.problems) spot.fail(rephrase(text, written), node);
    return value;
  };
  return {
    ...presence,
    key,
    about,
    env,
    kind,
    read,
    readVariable(raw, spot) {
      if ((kind.trims === true ? raw.trim() : raw) === '') return empty;
      return { value: read(textNode(raw), spot) };
    },
    print: (value) => (isValue(value) ? kind.print(value) : ''),
  };
}
