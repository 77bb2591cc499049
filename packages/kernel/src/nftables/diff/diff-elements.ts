/** Which elements of a set go and which come. */
import { keyIdentity, keyWords, type Layout, planOfSet, type SetPlan, writeKey } from '../keys/index.ts';
import type { AnyElement, Data, SetOrMap, TableName } from '../model/index.ts';
import type { Change } from './changes.ts';

interface ElementChanges {
  readonly removals: readonly Change[];
  readonly additions: readonly Change[];
}

/**
 * Maps hold thousands of elements of which few change: those that are the same object in both are set aside first, then
 * those that are written the same; only what is left is compared by its bytes.
 */
export function diffElements(
  table: TableName,
  current: SetOrMap | undefined,
  desired: SetOrMap,
): ElementChanges {
  const before: readonly AnyElement[] = current?.elements ?? [];
  const after: readonly AnyElement[] = desired.elements;
  if (before === after) return { removals: [], additions: [] };
  const plan = planOfSet(desired);
  const isSame = equality(plan, desired);
  const lost: AnyElement[] = [];
  const gained: AnyElement[] = [];
  const left = without(before, after);
  const come = without(after, before);
  const byWords = new Map(left.map((element) => [keyWords(element.key), element]));
  const open: AnyElement[] = [];
  for (const element of come) {
    const words = keyWords(element.key);
    const predecessor = byWords.get(words);
    if (predecessor === undefined) open.push(element);
    else if (byWords.delete(words) && !isSame(predecessor, element)) {
      lost.push(predecessor);
      gained.push(element);
    }
  }
  const byBytes = new Map(
    Array.from(byWords.values(), (element) => [keyIdentity(plan.key, element.key), element]),
  );
  for (const element of open) {
    const key = keyIdentity(plan.key, element.key);
    const predecessor = byBytes.get(key);
    byBytes.delete(key);
    if (predecessor !== undefined && isSame(predecessor, element)) continue;
    if (predecessor !== undefined) lost.push(predecessor);
    gained.push(element);
  }
  // What rules put into a dynamic set is theirs.
  if (desired.dynamic !== true) lost.push(...byBytes.values());
  return {
    removals: removals(table, desired, before.length, lost),
    additions: additions(table, desired, gained),
  };
}

function without(elements: readonly AnyElement[], others: readonly AnyElement[]): readonly AnyElement[] {
  const known = new Set(others);
  return elements.filter((element) => !known.has(element));
}

function removals(
  table: TableName,
  set: SetOrMap,
  sizeBefore: number,
  elements: readonly AnyElement[],
): readonly Change[] {
  if (elements.length === 0) return [];
  if (elements.length === sizeBefore) return [{ change: 'empty-set', table, set }];
  return [{ change: 'delete-elements', table, set, elements }];
}

const additions = (table: TableName, set: SetOrMap, elements: readonly AnyElement[]): readonly Change[] =>
  elements.length === 0 ? [] : [{ change: 'add-elements', table, set, elements }];

type Equality = (one: AnyElement, other: AnyElement) => boolean;

/** How long it has left and what it counted are no part of what an element is. */
function equality({ data: layout }: SetPlan, { timeoutMs: usual }: SetOrMap): Equality {
  const sameData = layout === undefined || layout === 'verdict' ? sameVerdict : sameBytes(layout);
  return (one, other) =>
    one.comment === other.comment &&
    (one.timeoutMs ?? usual) === (other.timeoutMs ?? usual) &&
    (one.data === undefined || other.data === undefined
      ? one.data === other.data
      : sameData(one.data, other.data));
}

const sameVerdict = (one: Data, other: Data): boolean =>
  'verdict' in one &&
  'verdict' in other &&
  one.verdict === other.verdict &&
  ('chain' in one ? one.chain : '') === ('chain' in other ? other.chain : '');

function sameBytes(layout: Layout): (one: Data, other: Data) => boolean {
  const mine = Buffer.alloc(layout.bytes);
  const theirs = Buffer.alloc(layout.bytes);
  return (one, other) => {
    if ('verdict' in one || 'verdict' in other) return false;
    if (one.length === other.length && one.every((scalar, index) => scalar === other[index])) return true;
    writeKey(layout, one, mine);
    writeKey(layout, other, theirs);
    return mine.equals(theirs);
  };
}
