/** Metrics as data: a program's table of families, from which its instruments get their types and the reference is made. */

/** A label takes one of the listed values, or any value up to a number of different ones. */
export type LabelSpec = readonly string[] | { readonly atMost: number };
export type Labels = Readonly<Record<string, LabelSpec>>;

export type LabelValues<L extends Labels> = {
  readonly [name in keyof L]: L[name] extends readonly (infer Value extends string)[] ? Value : string;
};

/** The labels as arguments: none where the family has none. */
export type LabelArgs<L extends Labels> = [keyof L] extends [never]
  ? readonly []
  : readonly [labels: LabelValues<L>];

export type FamilyType = 'counter' | 'gauge' | 'histogram';

export interface Family<T extends FamilyType = FamilyType, L extends Labels = Labels> {
  readonly type: T;
  readonly name: string;
  readonly help: string;
  readonly labels: L;
  /** Series that are there from the start, at zero; undefined: all combinations of listed values. */
  readonly initial: readonly Readonly<Record<string, string>>[] | undefined;
  /** Upper bounds of a histogram, without the last one (infinity). */
  readonly buckets: readonly number[];
}

export interface FamilyOptions<L extends Labels> {
  readonly labels?: L;
  /** Which series are there from the start: by default all combinations of the listed values, or these, or none. */
  readonly initial?: readonly LabelValues<L>[];
}

type NoLabels = Record<never, never>;

/** A number that only grows. Its name ends in `_total`. */
export function counter<const L extends Labels = NoLabels>(
  name: string,
  help: string,
  options: FamilyOptions<L> = {},
): Family<'counter', NoInfer<L>> {
  return family('counter', name, help, options, []);
}

/** A number that goes up and down. */
export function gauge<const L extends Labels = NoLabels>(
  name: string,
  help: string,
  options: FamilyOptions<L> = {},
): Family<'gauge', NoInfer<L>> {
  return family('gauge', name, help, options, []);
}

/** How often values fell into which range. */
export function histogram<const L extends Labels = NoLabels>(
  name: string,
  help: string,
  { buckets, ...options }: FamilyOptions<L> & { readonly buckets: readonly number[] },
): Family<'histogram', NoInfer<L>> {
  const rising = buckets.every((bound, index) => index === 0 || bound > (buckets[index - 1] ?? bound));
  if (!rising || buckets.length === 0) throw new RangeError(`${name}: the buckets do not rise`);
  return family('histogram', name, help, options, buckets);
}

/** `count` buckets: start, start × factor, start × factor² … */
export const exponential = (start: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, power) => start * factor ** power);

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

function family<T extends FamilyType, L extends Labels>(
  type: T,
  name: string,
  help: string,
  { labels, initial }: FamilyOptions<L>,
  buckets: readonly number[],
): Family<T, L> {
  if (!NAME.test(name)) throw new RangeError(`"${name}" is no name for a metric`);
  for (const label of Object.keys(labels ?? {})) {
    if (!LABEL.test(label) || label === 'le')
      throw new RangeError(`${name}: "${label}" is no name for a label`);
  }
  return { type, name, help, labels: labels ?? ({} as L), initial, buckets };
}
