/** Which rules of a chain go and which come, so that as many as possible stay, with what they have counted. */
import type { Chain, Rule, Table } from '../model/index.ts';
import type { Change } from './changes.ts';
import { ruleKey } from './rule-key.ts';

interface RuleChanges {
  readonly removals: readonly Change[];
  readonly additions: readonly Change[];
}

interface Keyed {
  readonly rule: Rule;
  readonly key: string;
}

export function diffRules(before: Table, after: Table, current: Chain, desired: Chain): RuleChanges {
  const table = { family: after.family, name: after.name };
  const chain = desired.name;
  const old = current.rules.map((rule): Keyed => ({ rule, key: ruleKey(before, rule) }));
  const wanted = desired.rules.map((rule): Keyed => ({ rule, key: ruleKey(after, rule) }));
  if (old.length === wanted.length && old.every(({ key }, index) => key === wanted[index]?.key)) {
    return { removals: [], additions: [] };
  }
  const add = (rule: Rule, number: number, before?: number): Change => ({
    change: 'add-rule',
    table,
    chain,
    rule,
    number,
    ...(before === undefined ? {} : { before }),
  });
  const handles = old.map(({ rule }) => rule.handle);
  if (!handles.every((handle) => handle !== undefined)) {
    return {
      removals: [{ change: 'empty-chain', table, chain }],
      additions: desired.rules.map((rule, index) => add(rule, index + 1)),
    };
  }
  const kept = longestCommon(old, wanted);
  const keptOld = new Set(kept.map(({ oldIndex }) => oldIndex));
  const keptNew = new Set(kept.map(({ newIndex }) => newIndex));
  return {
    removals: handles.flatMap((handle, index): Change[] =>
      keptOld.has(index) ? [] : [{ change: 'delete-rule', table, chain, handle }],
    ),
    additions: desired.rules.flatMap((rule, index) => {
      if (keptNew.has(index)) return [];
      const next = kept.find(({ newIndex }) => newIndex > index);
      return [add(rule, index + 1, next === undefined ? undefined : handles[next.oldIndex])];
    }),
  };
}

interface Kept {
  readonly oldIndex: number;
  readonly newIndex: number;
}

/** The longest list of rules that stand in both chains in the same order. */
function longestCommon(old: readonly Keyed[], wanted: readonly Keyed[]): Kept[] {
  const width = wanted.length + 1;
  // How many rules can stay from here on, for each pair of places.
  const lengths = new Uint32Array((old.length + 1) * width);
  const length = (oldIndex: number, newIndex: number): number => lengths[oldIndex * width + newIndex] ?? 0;
  const equal = (oldIndex: number, newIndex: number): boolean => old[oldIndex]?.key === wanted[newIndex]?.key;
  for (let oldIndex = old.length - 1; oldIndex >= 0; oldIndex--) {
    for (let newIndex = wanted.length - 1; newIndex >= 0; newIndex--) {
      lengths[oldIndex * width + newIndex] = equal(oldIndex, newIndex)
        ? 1 + length(oldIndex + 1, newIndex + 1)
        : Math.max(length(oldIndex + 1, newIndex), length(oldIndex, newIndex + 1));
    }
  }
  const kept: Kept[] = [];
  for (let oldIndex = 0, newIndex = 0; oldIndex < old.length && newIndex < wanted.length; ) {
    if (equal(oldIndex, newIndex)) kept.push({ oldIndex: oldIndex++, newIndex: newIndex++ });
    else if (length(oldIndex + 1, newIndex) >= length(oldIndex, newIndex + 1)) oldIndex++;
    else newIndex++;
  }
  return kept;
}
