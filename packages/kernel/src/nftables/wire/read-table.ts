/** One table as it is in the kernel. */
import { Attributes, type NetlinkSocket } from '../../netlink/index.ts';
import { keyWords, planOfSet, type SetPlan } from '../keys/index.ts';
import {
  type AnyElement,
  type Base,
  type Chain,
  type ChainType,
  type Counter,
  given,
  type InlineMap,
  type InlineSet,
  type MapElement,
  type Rule,
  type SetOrMap,
  type SetReference,
  type Table,
  type TableName,
} from '../model/index.ts';
import { raiseStatements } from '../translate/index.ts';
import { hooks } from './commands.ts';
import { readElements } from './elements-read.ts';
import { readExpressions } from './expression-codec.ts';
import * as nft from './message-numbers.ts';
import { readChains, readElementLists, readObjects, readRules, readSets } from './requests.ts';
import { readSet } from './set-codec.ts';
import { readComment } from './userdata.ts';

/** Reads all of it; what we have no words for is named in `unreadable`. */
export function readTable(
  socket: NetlinkSocket,
  name: TableName,
  { comment, flagged }: { readonly comment?: string; readonly flagged?: true },
): Table {
  const unreadable: string[] = flagged === true ? ['the flags of the table'] : [];
  const complain = (what: string): void => void unreadable.push(what);
  const counters = readCounters(socket, name, complain);
  const { sets, inline } = readAllSets(socket, name, complain);
  const chains = readAllChains(socket, { ...name, sets }, inline, complain);
  return {
    family: name.family,
    name: name.name,
    ...given('comment', comment),
    counters,
    sets,
    chains,
    ...given('unreadable', unreadable.length === 0 ? undefined : unreadable),
  };
}

type Complain = (what: string) => void;

const OBJECT_BYTES = 1;
const OBJECT_PACKETS = 2;

function readCounters(socket: NetlinkSocket, table: TableName, complain: Complain): Counter[] {
  return readObjects(socket, table).flatMap(({ attributes }) => {
    const name = attributes.string(nft.OBJECT_NAME) ?? '';
    const data = attributes.nested(nft.OBJECT_DATA);
    if (attributes.u32be(nft.OBJECT_TYPE) !== nft.OBJECT_COUNTER || data === undefined) {
      complain(`object ${name}: it is no counter`);
      return [];
    }
    const tally = {
      packets: Number(data.u64be(OBJECT_PACKETS) ?? 0),
      bytes: Number(data.u64be(OBJECT_BYTES) ?? 0),
    };
    return [{ name, ...given('comment', readComment(attributes.binary(nft.OBJECT_USERDATA))), tally }];
  });
}

interface Sets {
  readonly sets: readonly SetOrMap[];
  readonly inline: ReadonlyMap<string, SetReference>;
}

function readAllSets(socket: NetlinkSocket, table: TableName, complain: Complain): Sets {
  const sets: SetOrMap[] = [];
  const inline = new Map<string, SetReference>();
  for (const { attributes } of readSets(socket, table)) {
    const { name, anonymous, set } = readSet(attributes);
    if (typeof set === 'string') {
      complain(set);
      continue;
    }
    const elements = readAllElements(socket, table, { name, plan: planOfSet(set) }, (why) =>
      complain(`${set.kind} ${name}: ${why}`),
    );
    const whole = withElements(set, elements);
    if (anonymous) inline.set(name, inlineOf(whole));
    else sets.push(whole);
  }
  return { sets, inline };
}

/** More readings than it takes for any table to come to rest. */
const mostReadings = 20;

/**
 * Right after a large write the kernel goes on to enlarge the hash table of a set, and a listing of several messages, which
 * it resumes by counting, then leaves elements out or tells them twice. So such a set is read until a reading tells
 * nothing new; whoever reads compares generations, so all of them belong to one state.
 */
function readAllElements(
  socket: NetlinkSocket,
  table: TableName,
  { name, plan }: { readonly name: string; readonly plan: SetPlan },
  complain: Complain,
): readonly AnyElement[] {
  const listed = (): Attributes[] =>
    readElementLists(socket, table, name).flatMap(
      (answer) => answer.attributes.nested(nft.ELEMENTS_LIST) ?? [],
    );
  const lists = listed();
  const first = readElements(plan, lists, complain);
  if (plan.shape !== 'exact' || lists.length < 2) return first;
  const whole = new Map(first.map((element) => [keyWords(element.key), element]));
  for (let reading = 1; reading < mostReadings; reading++) {
    const before = whole.size;
    for (const element of readElements(plan, listed(), () => undefined))
      whole.set(keyWords(element.key), element);
    if (whole.size === before) break;
  }
  return [...whole.values()];
}

function withElements(set: SetOrMap, elements: readonly AnyElement[]): SetOrMap {
  return set.kind === 'set' ? { ...set, elements } : { ...set, elements: elements.filter(isMapElement) };
}

const isMapElement = (element: AnyElement): element is MapElement => element.data !== undefined;

function inlineOf(set: SetOrMap): SetReference {
  const content: InlineSet | InlineMap =
    set.kind === 'set'
      ? { keys: set.elements.map(({ key }) => key) }
      : { entries: set.elements.map(({ key, data }) => ({ key, data })) };
  return { key: set.key, ...(set.kind === 'map' ? { data: set.data } : {}), content };
}

interface Surroundings extends TableName {
  readonly sets: readonly SetOrMap[];
}

function readAllChains(
  socket: NetlinkSocket,
  table: Surroundings,
  inline: Sets['inline'],
  complain: Complain,
): Chain[] {
  const rules = Map.groupBy(readRules(socket, table), ({ attributes }) => attributes.string(nft.RULE_CHAIN));
  return readChains(socket, table).map(({ attributes }) => {
    const name = attributes.string(nft.CHAIN_NAME) ?? '';
    if (((attributes.u32be(nft.CHAIN_FLAGS) ?? 0) & nft.CHAIN_FLAG_BINDING) !== 0) {
      complain(`chain ${name}: it lives in a rule`);
    }
    return {
      name,
      ...given(
        'base',
        readBase(attributes, () => complain(`chain ${name}: its hook`)),
      ),
      ...given('comment', readComment(attributes.binary(nft.CHAIN_USERDATA))),
      rules: (rules.get(name) ?? []).map((answer) => readRule(table, inline, answer.attributes)),
    };
  });
}

function readRule(table: Surroundings, inline: Sets['inline'], attributes: Attributes): Rule {
  const set = (name: string): SetReference => inline.get(name) ?? { name };
  const bytes = attributes.binary(nft.RULE_EXPRESSIONS) ?? Buffer.alloc(0);
  return {
    statements: raiseStatements(table, readExpressions(new Attributes(bytes), { set })),
    ...given('comment', readComment(attributes.binary(nft.RULE_USERDATA))),
    handle: Number(attributes.u64be(nft.RULE_HANDLE) ?? 0),
  };
}

const isChainType = (type: string | undefined): type is ChainType =>
  type === 'filter' || type === 'nat' || type === 'route';

function readBase(attributes: Attributes, complain: () => void): Base | undefined {
  const hook = attributes.nested(nft.CHAIN_HOOK);
  if (hook === undefined) return undefined;
  const type = attributes.string(nft.CHAIN_TYPE);
  const where = hooks[hook.u32be(nft.HOOK_NUMBER) ?? -1];
  if (!isChainType(type) || where === undefined) {
    complain();
    return undefined;
  }
  return {
    type,
    hook: where,
    priority: hook.i32be(nft.HOOK_PRIORITY) ?? 0,
    policy: attributes.u32be(nft.CHAIN_POLICY) === 0 ? 'drop' : 'accept',
  };
}
