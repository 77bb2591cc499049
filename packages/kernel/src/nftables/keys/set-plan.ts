/** How the elements of one set or map look on the wire. */
import type { DataType, Inline, Key, SetOrMap } from '../model/index.ts';
import { type Layout, layoutOf } from './layout.ts';
import { isExact } from './spans.ts';

/**
 * - `exact`: one key each.
 * - `marks`: the set is one line of keys, and two elements mark where a range begins and where it has ended.
 * - `spans`: a concatenation of ranges; each element has a lowest and a highest key.
 */
type Shape = 'exact' | 'marks' | 'spans';

export interface SetPlan {
  readonly shape: Shape;
  readonly key: Layout;
  readonly data?: Layout | 'verdict';
}

interface Types {
  readonly key: readonly DataType[];
  readonly data?: readonly DataType[] | 'verdict';
}

function planOf(types: Types, intervals: boolean): SetPlan {
  const shape = !intervals ? 'exact' : types.key.length > 1 ? 'spans' : 'marks';
  const key = layoutOf(types.key);
  if (types.data === undefined) return { shape, key };
  return { shape, key, data: types.data === 'verdict' ? 'verdict' : layoutOf(types.data) };
}

export const planOfSet = (set: SetOrMap): SetPlan => planOf(set, set.intervals === true);

export const planOfInline = (inline: Inline): SetPlan => planOf(inline, hasRanges(inlineKeys(inline)));

const inlineKeys = ({ content }: Inline): readonly Key[] =>
  'keys' in content ? content.keys : content.entries.map(({ key }) => key);

/** The rule alone decides what its set looks like: it is made for ranges if there are any. */
const hasRanges = (keys: readonly Key[]): boolean => keys.some((key) => !isExact(key));
