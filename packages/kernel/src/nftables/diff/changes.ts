/** What has to be done to come from one ruleset to another: plain data, in the order in which the kernel takes it. */
import type {
  AnyElement,
  Chain,
  Counter,
  Policy,
  Rule,
  Ruleset,
  SetOrMap,
  Table,
  TableName,
} from '../model/index.ts';
import {
  addChain,
  addCounter,
  addElements,
  addRule,
  addSet,
  addTable,
  type Command,
  deleteChain,
  deleteCounter,
  deleteElements,
  deleteRule,
  deleteSet,
  deleteTable,
  flushChain,
  flushSet,
  SetIds,
  setPolicy,
} from '../wire/index.ts';

export type Change =
  | { readonly change: 'add-table'; readonly table: TableName }
  /** All of it anew, in the same transaction: nobody sees it missing. */
  | { readonly change: 'replace-table'; readonly table: TableName; readonly because: string }
  | { readonly change: 'delete-table'; readonly table: TableName }
  | { readonly change: 'add-counter'; readonly table: TableName; readonly counter: Counter }
  | { readonly change: 'delete-counter'; readonly table: TableName; readonly name: string }
  | { readonly change: 'add-chain'; readonly table: TableName; readonly chain: Chain }
  | { readonly change: 'delete-chain'; readonly table: TableName; readonly name: string }
  | {
      readonly change: 'set-policy';
      readonly table: TableName;
      readonly chain: string;
      readonly policy: Policy;
    }
  | { readonly change: 'add-set'; readonly table: TableName; readonly set: SetOrMap }
  | { readonly change: 'delete-set'; readonly table: TableName; readonly name: string }
  | {
      readonly change: 'add-elements' | 'delete-elements';
      readonly table: TableName;
      /** The set as it should be. */
      readonly set: SetOrMap;
      readonly elements: readonly AnyElement[];
    }
  | { readonly change: 'empty-set'; readonly table: TableName; readonly set: SetOrMap }
  | {
      readonly change: 'add-rule';
      readonly table: TableName;
      readonly chain: string;
      readonly rule: Rule;
      /** Counted from 1, in the chain as it should be. */
      readonly number: number;
      /** In front of the rule with this handle; at the end if there is none. */
      readonly before?: number;
    }
  | {
      readonly change: 'delete-rule';
      readonly table: TableName;
      readonly chain: string;
      readonly handle: number;
    }
  | { readonly change: 'empty-chain'; readonly table: TableName; readonly chain: string };

/** The commands of a whole ruleset, in place of whatever its tables are now. */
export function commandsOf({ owner, tables }: Ruleset): Command[] {
  const ids = new SetIds();
  return tables.flatMap((table) => replaceTable(ids, owner, table));
}

/** The commands of some changes on the way to `desired`. */
export function commandsOfChanges(desired: Ruleset, changes: readonly Change[]): Command[] {
  const ids = new SetIds();
  return changes.flatMap((change) => commandsOfChange(ids, desired, change));
}

function commandsOfChange(ids: SetIds, desired: Ruleset, change: Change): Command[] {
  const { table } = change;
  const whole = (): Table => tableIn(desired, table);
  switch (change.change) {
    case 'add-table':
      return createTable(ids, desired.owner, whole());
    case 'replace-table':
      return replaceTable(ids, desired.owner, whole());
    case 'delete-table':
      return [deleteTable(table)];
    case 'add-counter':
      return [addCounter(table, change.counter)];
    case 'delete-counter':
      return [deleteCounter(table, change.name)];
    case 'add-chain':
      return [addChain(table, change.chain)];
    case 'delete-chain':
      return [deleteChain(table, change.name)];
    case 'set-policy':
      return [setPolicy(table, change.chain, change.policy)];
    case 'add-set':
      return [addSet(ids, table, change.set)];
    case 'delete-set':
      return [deleteSet(table, change.name)];
    case 'add-elements':
      return addElements(table, change.set, change.elements);
    case 'delete-elements':
      return deleteElements(table, change.set, change.elements);
    case 'empty-set':
      return [flushSet(table, change.set)];
    case 'add-rule':
      return addRule(ids, { ...change, table: whole() }, change.rule);
    case 'delete-rule':
      return [deleteRule(table, change.chain, change.handle)];
    case 'empty-chain':
      return [flushChain(table, change.chain)];
  }
}

function tableIn({ tables }: Ruleset, { family, name }: TableName): Table {
  const found = tables.find((table) => table.family === family && table.name === name);
  if (found === undefined)
    throw new TypeError(`the changes are not for this ruleset: no table ${family} ${name}`);
  return found;
}

/** Deleting what may not be there is an error; adding what is there is none. */
const replaceTable = (ids: SetIds, owner: string, table: Table): Command[] => [
  addTable(owner, table),
  deleteTable(table),
  ...createTable(ids, owner, table),
];

/** Chains before elements that go to them, everything before the rules that speak of it. */
const createTable = (ids: SetIds, owner: string, table: Table): Command[] => [
  addTable(owner, table),
  ...table.counters.map((counter) => addCounter(table, counter)),
  ...table.chains.map((chain) => addChain(table, chain)),
  ...table.sets.map((set) => addSet(ids, table, set)),
  ...table.sets.flatMap((set) => addElements(table, set, set.elements)),
  ...table.chains.flatMap((chain) =>
    chain.rules.flatMap((rule, index) => addRule(ids, { table, chain: chain.name, number: index + 1 }, rule)),
  ),
];
