/** The shortest way from one ruleset to another. Pure; counters, handles and the order of elements make no difference. */
import type { Chain, Ruleset, SetOrMap, Table, TableName } from '../model/index.ts';
import type { Change } from './changes.ts';
import { diffElements } from './diff-elements.ts';
import { diffRules } from './diff-rules.ts';

/**
 * `current` may be what was read from the kernel or what was put there before. Without the handles of a reading, a chain
 * whose rules change is written anew as a whole.
 */
export function diff(current: Ruleset, desired: Ruleset): Change[] {
  const find = ({ tables }: Ruleset, { family, name }: TableName): Table | undefined =>
    tables.find((table) => table.family === family && table.name === name);
  const gone = current.tables
    .filter((table) => find(desired, table) === undefined)
    .map(({ family, name }): Change => ({ change: 'delete-table', table: { family, name } }));
  const kept = desired.tables.flatMap((table): Change[] => {
    const { family, name } = table;
    const present = find(current, table);
    if (present === undefined) return [{ change: 'add-table', table: { family, name } }];
    return present === table ? [] : diffTable(present, table);
  });
  return [...gone, ...kept];
}

function diffTable(current: Table, desired: Table): Change[] {
  const { family, name } = desired;
  const table = { family, name };
  const because = whyReplace(current, desired);
  if (because !== undefined) return [{ change: 'replace-table', table, because }];
  const chains = pairs(current.chains, desired.chains);
  const sets = pairs(current.sets, desired.sets);
  const counters = pairs(current.counters, desired.counters);
  const rules = desired.chains
    // The same value says the same: if a set that its rules speak of had changed its kind, the table would be replaced.
    .filter((chain) => chains.before.get(chain.name) !== chain)
    .map((chain) =>
      diffRules(current, desired, chains.before.get(chain.name) ?? { ...chain, rules: [] }, chain),
    );
  const elements = desired.sets.map((set) => diffElements(table, sets.before.get(set.name), set));
  return [
    ...counters.added.map((counter): Change => ({ change: 'add-counter', table, counter })),
    ...chains.added.map((chain): Change => ({ change: 'add-chain', table, chain })),
    ...sets.added.map((set): Change => ({ change: 'add-set', table, set })),
    ...policies(table, chains.before, desired.chains),
    // Rules go before what they speak of, and come after it.
    ...rules.flatMap(({ removals }) => removals),
    ...chains.gone.flatMap((chain): Change[] =>
      chain.rules.length === 0 ? [] : [{ change: 'empty-chain', table, chain: chain.name }],
    ),
    ...elements.flatMap(({ removals }) => removals),
    ...elements.flatMap(({ additions }) => additions),
    ...rules.flatMap(({ additions }) => additions),
    // A map that goes may still point at a chain that goes.
    ...sets.gone.map((set): Change => ({ change: 'delete-set', table, name: set.name })),
    ...chains.gone.map((chain): Change => ({ change: 'delete-chain', table, name: chain.name })),
    ...counters.gone.map((counter): Change => ({ change: 'delete-counter', table, name: counter.name })),
  ];
}

interface Pairs<T> {
  readonly before: ReadonlyMap<string, T>;
  readonly added: readonly T[];
  readonly gone: readonly T[];
}

function pairs<T extends { readonly name: string }>(current: readonly T[], desired: readonly T[]): Pairs<T> {
  const before = new Map(current.map((thing) => [thing.name, thing]));
  const after = new Set(desired.map(({ name }) => name));
  return {
    before,
    added: desired.filter(({ name }) => !before.has(name)),
    gone: current.filter(({ name }) => !after.has(name)),
  };
}

/** What cannot be changed in place. */
function whyReplace(current: Table, desired: Table): string | undefined {
  const [unreadable] = current.unreadable ?? [];
  if (unreadable !== undefined) return `it holds what we cannot read: ${unreadable}`;
  if (current.comment !== desired.comment) return 'its comment changed';
  for (const counter of desired.counters) {
    const before = current.counters.find(({ name }) => name === counter.name);
    if (before !== undefined && before.comment !== counter.comment) {
      return `the comment of counter ${counter.name} changed`;
    }
  }
  for (const chain of desired.chains) {
    const before = current.chains.find(({ name }) => name === chain.name);
    if (before !== undefined && before !== chain && chainShape(before) !== chainShape(chain)) {
      return `the kind of chain ${chain.name} changed`;
    }
  }
  for (const set of desired.sets) {
    const before = current.sets.find(({ name }) => name === set.name);
    if (before !== undefined && before !== set && setShape(before) !== setShape(set))
      return `the kind of ${set.kind} ${set.name} changed`;
  }
  return undefined;
}

const chainShape = ({ base, comment }: Chain): string =>
  JSON.stringify([comment, base?.type, base?.hook, base?.priority]);

const setShape = (set: SetOrMap): string =>
  JSON.stringify([
    set.kind,
    set.key,
    set.kind === 'map' ? set.data : undefined,
    set.intervals === true,
    set.timeouts === true || set.timeoutMs !== undefined,
    set.timeoutMs,
    set.dynamic === true,
    set.size,
    set.counted === true,
    set.comment,
  ]);

function policies(
  table: TableName,
  before: ReadonlyMap<string, Chain>,
  chains: readonly Chain[],
): readonly Change[] {
  return chains.flatMap(({ name, base }): Change[] => {
    const was = before.get(name)?.base;
    if (base === undefined || was === undefined || was.policy === base.policy) return [];
    return [{ change: 'set-policy', table, chain: name, policy: base.policy }];
  });
}
