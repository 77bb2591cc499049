/** What sets and maps hold and rules compare with. */
import type { Scalar } from './data-types.ts';

export interface Range<Value extends Scalar = Scalar> {
  readonly from: Value;
  readonly to: Value;
}

/** A value, a network (`10.0.0.0/8`), every interface with a prefix (`eth*`), or a range. */
export type Part = Scalar | Range;

/** One part for each type of a concatenation. */
export type Key = readonly Part[];

export type Verdict =
  | { readonly verdict: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly verdict: 'jump' | 'goto'; readonly chain: string };

/** What a map answers. */
export type Data = readonly Scalar[] | Verdict;

/** A set or map of the table, by name. */
export interface Named {
  readonly name: string;
}

/** A set that lives in one rule. */
export interface InlineSet {
  readonly keys: readonly Key[];
}

/** A map that lives in one rule. */
export interface InlineMap<D extends Data = Data> {
  readonly entries: readonly { readonly key: Key; readonly data: D }[];
}
