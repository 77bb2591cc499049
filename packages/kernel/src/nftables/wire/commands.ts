/** The single commands of a transaction. Each knows what it is about in words, for when the kernel refuses it. */
import { type MessageWriter, NLM_F_APPEND, NLM_F_CREATE } from '../../netlink/index.ts';
import { planOfInline, planOfSet, type SetPlan } from '../keys/index.ts';
import {
  type AnyElement,
  type Chain,
  type Counter,
  type Expression,
  type Family,
  type Hook,
  type Inline,
  markOf,
  type Policy,
  type Rule,
  type SetOrMap,
  type Table,
  type TableName,
} from '../model/index.ts';
import { lowerStatements } from '../translate/index.ts';
import { concerning } from './concerning.ts';
import { portions, writeElements } from './elements-write.ts';
import { writeExpressions } from './expression-codec.ts';
import * as nft from './message-numbers.ts';
import { writeInlineSet, writeSet } from './set-codec.ts';
import { COMMENT, comment, writeNotes } from './userdata.ts';

export interface Command {
  /** `adding chain prerouting to table ip anchord_v4`. */
  readonly what: string;
  readonly type: number;
  readonly flags: number;
  readonly family: Family;
  readonly body: (writer: MessageWriter) => void;
}

/** Hands out the numbers by which sets of one batch are known before they have a handle. */
export class SetIds {
  #last = 0;

  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

const inWords = ({ family, name }: TableName): string => `table ${family} ${name}`;

function command(
  what: string,
  type: number,
  { family }: TableName,
  body: (writer: MessageWriter) => void,
  flags = 0,
): Command {
  return { what, type, flags, family, body };
}

function note(writer: MessageWriter, type: number, text: string | undefined): void {
  if (text !== undefined) writer.binary(type, writeNotes([comment(COMMENT, text)]));
}

/** Creates the table if it is not there. */
export function addTable(owner: string, table: TableName & { readonly comment?: string }): Command {
  const mark = markOf(owner, table.comment);
  return command(
    `adding ${inWords(table)}`,
    nft.NEWTABLE,
    table,
    (writer) => {
      writer.string(nft.TABLE_NAME, table.name);
      writer.u32be(nft.TABLE_FLAGS, 0);
      note(writer, nft.TABLE_USERDATA, mark);
    },
    NLM_F_CREATE,
  );
}

export const deleteTable = (table: TableName): Command =>
  command(`deleting ${inWords(table)}`, nft.DELTABLE, table, (writer) =>
    writer.string(nft.TABLE_NAME, table.name),
  );

const hookNumbers: Readonly<Record<Hook, number>> = {
  prerouting: 0,
  input: 1,
  forward: 2,
  output: 3,
  postrouting: 4,
};
export const hooks: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const policyNumbers: Readonly<Record<Policy, number>> = { drop: 0, accept: 1 };

export function addChain(table: TableName, chain: Chain): Command {
  const { base } = chain;
  return command(
    `adding chain ${chain.name} to ${inWords(table)}`,
    nft.NEWCHAIN,
    table,
    (writer) => {
      writer.string(nft.CHAIN_TABLE, table.name);
      writer.string(nft.CHAIN_NAME, chain.name);
      if (base !== undefined) {
        writer.string(nft.CHAIN_TYPE, base.type);
        writer.u32be(nft.CHAIN_POLICY, policyNumbers[base.policy]);
        writer.nested(nft.CHAIN_HOOK, () => {
          writer.u32be(nft.HOOK_NUMBER, hookNumbers[base.hook]);
          writer.i32be(nft.HOOK_PRIORITY, base.priority);
        });
      }
      note(writer, nft.CHAIN_USERDATA, chain.comment);
    },
    NLM_F_CREATE,
  );
}

export const setPolicy = (table: TableName, chain: string, policy: Policy): Command =>
  command(`setting the policy of chain ${chain} of ${inWords(table)}`, nft.NEWCHAIN, table, (writer) => {
    writer.string(nft.CHAIN_TABLE, table.name);
    writer.string(nft.CHAIN_NAME, chain);
    writer.u32be(nft.CHAIN_POLICY, policyNumbers[policy]);
  });

export const deleteChain = (table: TableName, chain: string): Command =>
  command(`deleting chain ${chain} of ${inWords(table)}`, nft.DELCHAIN, table, (writer) => {
    writer.string(nft.CHAIN_TABLE, table.name);
    writer.string(nft.CHAIN_NAME, chain);
  });

export const flushChain = (table: TableName, chain: string): Command =>
  command(`emptying chain ${chain} of ${inWords(table)}`, nft.DELRULE, table, (writer) => {
    writer.string(nft.RULE_TABLE, table.name);
    writer.string(nft.RULE_CHAIN, chain);
  });

export const deleteRule = (table: TableName, chain: string, handle: number): Command =>
  command(
    `deleting the rule with handle ${handle} of chain ${chain} of ${inWords(table)}`,
    nft.DELRULE,
    table,
    (writer) => {
      writer.string(nft.RULE_TABLE, table.name);
      writer.string(nft.RULE_CHAIN, chain);
      writer.u64be(nft.RULE_HANDLE, BigInt(handle));
    },
  );

/** Where a rule goes and how it is called in an error. */
export interface RulePlace {
  readonly table: Table;
  readonly chain: string;
  /** Counted from 1, in the chain as it should be. */
  readonly number: number;
  /** In front of the rule with this handle; at the end if there is none. */
  readonly before?: number;
}

/** The rule, after the anonymous sets that it brings with it. */
export function addRule(ids: SetIds, place: RulePlace, rule: Rule): Command[] {
  const { table, chain, number, before } = place;
  const what = `adding rule ${number} to chain ${chain} of ${inWords(table)}`;
  const expressions = concerning(what, () => lowerStatements(table, rule.statements));
  const inlines = new Map(inlinesOf(expressions).map((inline) => [inline, ids.next()]));
  const sets = Array.from(inlines, ([inline, id]) => addInlineSet(table, what, inline, id)).flat();
  const add = command(
    what,
    nft.NEWRULE,
    table,
    (writer) => {
      writer.string(nft.RULE_TABLE, table.name);
      writer.string(nft.RULE_CHAIN, chain);
      const context = { idOf: (inline: Inline): number => inlines.get(inline) ?? 0 };
      writer.nested(nft.RULE_EXPRESSIONS, () => writeExpressions(writer, context, expressions));
      if (before !== undefined) writer.u64be(nft.RULE_POSITION, BigInt(before));
      note(writer, nft.RULE_USERDATA, rule.comment);
    },
    before === undefined ? NLM_F_CREATE | NLM_F_APPEND : NLM_F_CREATE,
  );
  return [...sets, add];
}

function inlinesOf(expressions: readonly Expression[]): Inline[] {
  return expressions.flatMap((expression) =>
    expression.is === 'lookup' && !('name' in expression.set) ? [expression.set] : [],
  );
}

function addInlineSet(table: TableName, what: string, inline: Inline, id: number): Command[] {
  const plan = planOfInline(inline);
  const name = plan.data === undefined ? nft.ANONYMOUS : nft.ANONYMOUS_MAP;
  const elements: readonly AnyElement[] =
    'keys' in inline.content ? inline.content.keys.map((key) => ({ key })) : inline.content.entries;
  const add = command(
    `${what}: its set`,
    nft.NEWSET,
    table,
    (writer) => writeInlineSet(writer, table.name, id, inline),
    NLM_F_CREATE,
  );
  return [add, ...elementCommands(table, { name, id, plan }, elements, true, `${what}: its set`)];
}

export function addSet(ids: SetIds, table: TableName, set: SetOrMap): Command {
  const id = ids.next();
  return command(
    `adding ${set.kind} ${set.name} to ${inWords(table)}`,
    nft.NEWSET,
    table,
    (writer) => writeSet(writer, table.name, id, set),
    NLM_F_CREATE,
  );
}

export const deleteSet = (table: TableName, name: string): Command =>
  command(`deleting set ${name} of ${inWords(table)}`, nft.DELSET, table, (writer) => {
    writer.string(nft.SET_TABLE, table.name);
    writer.string(nft.SET_NAME, name);
  });

export const addElements = (table: TableName, set: SetOrMap, elements: readonly AnyElement[]): Command[] =>
  elementCommands(
    table,
    { name: set.name, plan: planOfSet(set) },
    elements,
    true,
    `adding elements to ${set.kind} ${set.name} of ${inWords(table)}`,
  );

export const deleteElements = (table: TableName, set: SetOrMap, elements: readonly AnyElement[]): Command[] =>
  elementCommands(
    table,
    { name: set.name, plan: planOfSet(set) },
    elements,
    false,
    `deleting elements of ${set.kind} ${set.name} of ${inWords(table)}`,
  );

export const flushSet = (table: TableName, set: SetOrMap): Command =>
  command(`emptying ${set.kind} ${set.name} of ${inWords(table)}`, nft.DELSETELEM, table, (writer) => {
    writer.string(nft.ELEMENTS_TABLE, table.name);
    writer.string(nft.ELEMENTS_SET, set.name);
  });

interface SetInBatch {
  readonly name: string;
  readonly id?: number;
  readonly plan: SetPlan;
}

function elementCommands(
  table: TableName,
  { name, id, plan }: SetInBatch,
  elements: readonly AnyElement[],
  adding: boolean,
  what: string,
): Command[] {
  return Array.from(portions(plan, elements), (portion) =>
    command(
      what,
      adding ? nft.NEWSETELEM : nft.DELSETELEM,
      table,
      (writer) => {
        writer.string(nft.ELEMENTS_TABLE, table.name);
        writer.string(nft.ELEMENTS_SET, name);
        if (id !== undefined) writer.u32be(nft.ELEMENTS_SET_ID, id);
        writer.nested(nft.ELEMENTS_LIST, () => writeElements(writer, plan, portion, !adding));
      },
      adding ? NLM_F_CREATE : 0,
    ),
  );
}

const COUNTER_BYTES = 1;
const COUNTER_PACKETS = 2;

export const addCounter = (table: TableName, counter: Counter): Command =>
  command(
    `adding counter ${counter.name} to ${inWords(table)}`,
    nft.NEWOBJ,
    table,
    (writer) => {
      writer.string(nft.OBJECT_TABLE, table.name);
      writer.string(nft.OBJECT_NAME, counter.name);
      writer.u32be(nft.OBJECT_TYPE, nft.OBJECT_COUNTER);
      writer.nested(nft.OBJECT_DATA, () => {
        writer.u64be(COUNTER_BYTES, BigInt(counter.tally?.bytes ?? 0));
        writer.u64be(COUNTER_PACKETS, BigInt(counter.tally?.packets ?? 0));
      });
      note(writer, nft.OBJECT_USERDATA, counter.comment);
    },
    NLM_F_CREATE,
  );

export const deleteCounter = (table: TableName, name: string): Command =>
  command(`deleting counter ${name} of ${inWords(table)}`, nft.DELOBJ, table, (writer) => {
    writer.string(nft.OBJECT_TABLE, table.name);
    writer.string(nft.OBJECT_NAME, name);
    writer.u32be(nft.OBJECT_TYPE, nft.OBJECT_COUNTER);
  });
