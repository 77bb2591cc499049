/** Which elements of a set go and which come. */
import { planOfSet, type SetPlan } from '../keys/index.ts';
import type { AnyElement, SetOrMap, TableName } from '../model/index.ts';
import type { Change } from './changes.ts';
import { dataIdentity, keyIdentity } from './rule-key.ts';

interface ElementChanges {
  readonly removals: readonly Change[];
  readonly additions: readonly Change[];
}

export function diffElements(
  table: TableName,
  current: SetOrMap | undefined,
  desired: SetOrMap,
): ElementChanges {
  if (current?.elements === desired.elements) return { removals: [], additions: [] };
  const plan = planOfSet(desired);
  const before = byKey(plan, current?.elements ?? []);
  const after = byKey(plan, desired.elements);
  const lost: AnyElement[] = [];
  for (const [key, element] of before) {
    const replacement = after.get(key);
    // What rules put into a dynamic set is theirs.
    if (replacement === undefined ? desired.dynamic !== true : !same(plan, desired, element, replacement))
      lost.push(element);
  }
  const gained: AnyElement[] = [];
  for (const [key, element] of after) {
    const predecessor = before.get(key);
    if (predecessor === undefined || !same(plan, desired, predecessor, element)) gained.push(element);
  }
  return {
    removals: removals(table, desired, before.size, lost),
    additions: additions(table, desired, gained),
  };
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

const byKey = (plan: SetPlan, elements: readonly AnyElement[]): ReadonlyMap<string, AnyElement> =>
  new Map(elements.map((element) => [keyIdentity(plan.key, element.key), element]));

/** How long it has left and what it counted are no part of what an element is. */
function same(plan: SetPlan, set: SetOrMap, one: AnyElement, other: AnyElement): boolean {
  const timeoutOf = ({ timeoutMs = set.timeoutMs }: AnyElement): number | undefined => timeoutMs;
  return (
    one === other ||
    (one.comment === other.comment && timeoutOf(one) === timeoutOf(other) && sameData(plan, one, other))
  );
}

function sameData({ data: layout }: SetPlan, one: AnyElement, other: AnyElement): boolean {
  if (layout === undefined || one.data === undefined || other.data === undefined)
    return one.data === other.data;
  return dataIdentity(layout, one.data) === dataIdentity(layout, other.data);
}
