/** Sets and maps on the wire, without their elements. */
import { Attributes, type MessageWriter } from '../../netlink/index.ts';
import { planOfInline, planOfSet, type SetPlan } from '../keys/index.ts';
import {
  type DataType,
  dataTypes,
  given,
  type Inline,
  type SetOrMap,
  type SetShape,
  typeNumber,
  typesOf,
} from '../model/index.ts';
import { readTally } from './elements-read.ts';
import { writeExpression } from './expression-codec.ts';
import {
  ANONYMOUS,
  ANONYMOUS_MAP,
  DATA_TYPE_VERDICT,
  DESCRIPTION_CONCAT,
  DESCRIPTION_SIZE,
  FIELD_LENGTH,
  FLAG_ANONYMOUS,
  FLAG_CONCAT,
  FLAG_CONSTANT,
  FLAG_DYNAMIC,
  FLAG_INTERVAL,
  FLAG_MAP,
  FLAG_TIMEOUT,
  LIST_ELEMENT,
  SET_DATA_LENGTH,
  SET_DATA_TYPE,
  SET_DESCRIPTION,
  SET_EXPRESSION,
  SET_FLAGS,
  SET_ID,
  SET_KEY_LENGTH,
  SET_KEY_TYPE,
  SET_NAME,
  SET_TABLE,
  SET_TIMEOUT,
  SET_USERDATA,
} from './message-numbers.ts';
import {
  comment,
  type Note,
  number,
  readComment,
  SET_COMMENT,
  SET_DATA_ORDER,
  SET_KEY_ORDER,
  writeNotes,
} from './userdata.ts';

const HOST_ORDER = 1;
const BIG_ENDIAN = 2;

export function writeSet(writer: MessageWriter, table: string, id: number, set: SetOrMap): void {
  const plan = planOfSet(set);
  const flags =
    shapeFlags(plan) |
    (set.timeouts === true || set.timeoutMs !== undefined ? FLAG_TIMEOUT : 0) |
    (set.dynamic === true ? FLAG_DYNAMIC : 0);
  const notes = set.comment === undefined ? [] : [comment(SET_COMMENT, set.comment)];
  writeTypes(writer, { table, name: set.name, id, flags, plan, notes, ...given('size', set.size) });
  if (set.timeoutMs !== undefined) writer.u64be(SET_TIMEOUT, BigInt(set.timeoutMs));
  if (set.counted === true)
    writer.nested(SET_EXPRESSION, () => writeExpression(writer, noSets, countNothing));
}

const countNothing = { is: 'counter', packets: 0, bytes: 0 } as const;
const noSets = { idOf: () => 0 };

export function writeInlineSet(writer: MessageWriter, table: string, id: number, inline: Inline): void {
  const plan = planOfInline(inline);
  const name = plan.data === undefined ? ANONYMOUS : ANONYMOUS_MAP;
  const flags = shapeFlags(plan) | FLAG_ANONYMOUS | FLAG_CONSTANT;
  writeTypes(writer, { table, name, id, flags, plan, notes: [] });
}

const shapeFlags = ({ shape, data }: SetPlan): number =>
  (shape === 'exact' ? 0 : FLAG_INTERVAL) |
  (shape === 'spans' ? FLAG_CONCAT : 0) |
  (data === undefined ? 0 : FLAG_MAP);

interface Header {
  readonly table: string;
  readonly name: string;
  readonly id: number;
  readonly flags: number;
  readonly plan: SetPlan;
  readonly size?: number;
  readonly notes: readonly Note[];
}

function writeTypes(writer: MessageWriter, { table, name, id, flags, plan, size, notes }: Header): void {
  const keyTypes = plan.key.slots.map(({ type }) => type);
  writer.string(SET_TABLE, table);
  writer.string(SET_NAME, name);
  writer.u32be(SET_FLAGS, flags);
  writer.u32be(SET_KEY_TYPE, typeNumber(keyTypes));
  writer.u32be(SET_KEY_LENGTH, plan.key.bytes);
  const orders = [number(SET_KEY_ORDER, byteOrder(keyTypes))];
  if (plan.data === 'verdict') {
    writer.u32be(SET_DATA_TYPE, DATA_TYPE_VERDICT);
    writer.u32be(SET_DATA_LENGTH, 0);
    orders.push(number(SET_DATA_ORDER, 0));
  } else if (plan.data !== undefined) {
    const dataKinds = plan.data.slots.map(({ type }) => type);
    writer.u32be(SET_DATA_TYPE, typeNumber(dataKinds));
    writer.u32be(SET_DATA_LENGTH, plan.data.bytes);
    orders.push(number(SET_DATA_ORDER, byteOrder(dataKinds)));
  }
  writer.u32be(SET_ID, id);
  if (size !== undefined || plan.shape === 'spans') {
    writer.nested(SET_DESCRIPTION, () => writeDescription(writer, plan, size));
  }
  writer.binary(SET_USERDATA, writeNotes([...orders, ...notes]));
}

/** A concatenation has none of its own. */
function byteOrder(types: readonly DataType[]): number {
  const [only, ...others] = types;
  if (only === undefined || others.length > 0) return 0;
  return dataTypes[only].hostOrder ? HOST_ORDER : BIG_ENDIAN;
}

/** Ranges over a concatenation are found field by field. */
function writeDescription(writer: MessageWriter, plan: SetPlan, size: number | undefined): void {
  if (size !== undefined) writer.u32be(DESCRIPTION_SIZE, size);
  if (plan.shape !== 'spans') return;
  writer.nested(DESCRIPTION_CONCAT, () => {
    for (const { row } of plan.key.slots) {
      writer.nested(LIST_ELEMENT, () => writer.u32be(FIELD_LENGTH, row.bytes));
    }
  });
}

export interface SetHeader {
  readonly name: string;
  readonly anonymous: boolean;
  /** The set without its elements, or why it cannot be read. */
  readonly set: SetOrMap | string;
}

export function readSet(attributes: Attributes): SetHeader {
  const name = attributes.string(SET_NAME) ?? '';
  const flags = attributes.u32be(SET_FLAGS) ?? 0;
  const anonymous = (flags & FLAG_ANONYMOUS) !== 0;
  const key = typesOf(attributes.u32be(SET_KEY_TYPE) ?? 0);
  const data = (flags & FLAG_MAP) === 0 ? [] : readDataTypes(attributes.u32be(SET_DATA_TYPE) ?? 0);
  const known =
    FLAG_ANONYMOUS | FLAG_CONSTANT | FLAG_INTERVAL | FLAG_MAP | FLAG_TIMEOUT | FLAG_DYNAMIC | FLAG_CONCAT;
  if (key === undefined || data === undefined) return { name, anonymous, set: `set ${name}: its types` };
  if ((flags & ~known) !== 0) return { name, anonymous, set: `set ${name}: its flags` };
  const shape = { name, key, ...readOptions(attributes, flags) };
  const set: SetOrMap =
    (flags & FLAG_MAP) === 0
      ? { kind: 'set', ...shape, elements: [] }
      : { kind: 'map', ...shape, data, elements: [] };
  return { name, anonymous, set };
}

const readDataTypes = (number: number): readonly DataType[] | 'verdict' | undefined =>
  number === DATA_TYPE_VERDICT ? 'verdict' : typesOf(number);

function readOptions(attributes: Attributes, flags: number): Partial<SetShape> {
  const timeoutMs = Number(attributes.u64be(SET_TIMEOUT) ?? 0);
  const size = attributes.nested(SET_DESCRIPTION)?.u32be(DESCRIPTION_SIZE);
  const expression = attributes.binary(SET_EXPRESSION);
  const counted = expression !== undefined && readTally(new Attributes(expression)) !== undefined;
  const on = (flag: number): true | undefined => ((flags & flag) === 0 ? undefined : true);
  return {
    ...given('intervals', on(FLAG_INTERVAL)),
    ...(timeoutMs > 0 ? { timeoutMs } : given('timeouts', on(FLAG_TIMEOUT))),
    ...given('dynamic', on(FLAG_DYNAMIC)),
    ...given('size', size),
    ...given('counted', counted ? true : undefined),
    ...given('comment', readComment(attributes.binary(SET_USERDATA), SET_COMMENT)),
  };
}
