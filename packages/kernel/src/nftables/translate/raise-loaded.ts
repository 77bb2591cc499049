/** Statements that begin by loading fields: matches, lookups, copies of marks. */
import {
  dataTypes,
  type Expression,
  type Field,
  fieldRow,
  given,
  type MarkOf,
  type Need,
  type Scalar,
  type SetMark,
  type Statement,
  type Test,
} from '../model/index.ts';
import { MARK_KEY } from './kernel-numbers.ts';
import type { Surroundings } from './lower.ts';
import { type Loaded, loadedFields } from './raise-fields.ts';
import { raiseLookup } from './raise-lookup.ts';
import { type Reading, reading } from './reading.ts';

export function raiseLoaded(
  table: Surroundings,
  known: readonly Need[],
  rest: readonly Expression[],
): Reading | undefined {
  const loaded = loadedFields(table.family, known, rest);
  if (loaded === undefined) return undefined;
  const { fields } = loaded;
  const found = raiseUse(loaded, rest.slice(fields.length));
  return found === undefined ? undefined : reading(fields.length + found.taken, found.statement);
}

/** What happens with what was loaded. */
function raiseUse(loaded: Loaded, after: readonly Expression[]): Reading | undefined {
  const [next] = after;
  const { fields } = loaded;
  if (next?.is === 'lookup') return raiseLookup(fields, next, after.slice(1));
  if (next?.is === 'dynset') {
    const { set, operation, timeoutMs } = next;
    const how = operation === 0 ? 'add' : 'update';
    return reading(1, { kind: 'update-set', how, set, fields, ...given('timeoutMs', timeoutMs) });
  }
  const [field, ...others] = fields;
  if (field === undefined || others.length > 0) return undefined;
  return raiseMarkChange(field, after) ?? raiseTest(field, loaded.bytes, after);
}

function raiseMarkChange(field: Field, [first, second]: readonly Expression[]): Reading | undefined {
  const source = markOf(field);
  if (source === undefined) return undefined;
  const copied = markSetBy(first);
  if (copied !== undefined) return reading(1, { kind: 'set-mark', of: copied, to: { copyOf: source } });
  if (first?.is !== 'bitwise' || markSetBy(second) !== source) return undefined;
  const to: SetMark['to'] = { value: word(first.xor), mask: ~word(first.mask) >>> 0 };
  return reading(2, { kind: 'set-mark', of: source, to });
}

function markOf(field: Field): MarkOf | undefined {
  if (field === 'meta mark') return 'meta';
  return field === 'ct mark' ? 'ct' : undefined;
}

function markSetBy(expression: Expression | undefined): MarkOf | undefined {
  if (expression?.is !== 'meta-set' && expression?.is !== 'ct-set') return undefined;
  if (expression.key !== MARK_KEY || expression.from !== 0) return undefined;
  return expression.is === 'meta-set' ? 'meta' : 'ct';
}

function raiseTest(
  field: Field,
  bytes: number | undefined,
  [first, second]: readonly Expression[],
): Reading | undefined {
  const match = (taken: number, test: Test | undefined): Reading | undefined => {
    const statement: Statement | undefined = test && { kind: 'match', fields: [field], test };
    return statement && reading(taken, statement);
  };
  if (first?.is === 'bitwise' && second?.is === 'cmp') {
    return match(2, maskedTest(field, first.mask, second.value, second.operator === '!='));
  }
  if (first?.is === 'range') return match(1, rangeTest(field, first.low, first.high, first.negated));
  if (first?.is !== 'cmp') return undefined;
  if (first.operator === '>=' && second?.is === 'cmp') {
    return match(2, rangeTest(field, first.value, second.value, false));
  }
  return match(1, valueTest(field, bytes, first.value, first.operator === '!='));
}

function valueTest(field: Field, bytes: number | undefined, hex: string, negated: boolean): Test | undefined {
  const { type } = fieldRow(field);
  const row = dataTypes[type];
  const value = Buffer.alloc(row.bytes);
  const length = value.write(hex, 'hex');
  if (length < row.bytes && type === 'ifname') {
    return { is: 'value', value: `${row.read(value, 0)}*`, negated };
  }
  if (length !== (bytes ?? row.bytes)) return undefined;
  const text = row.read(value, 0);
  return { is: 'value', value: bytes === undefined ? text : `${text}/${8 * bytes}`, negated };
}

function rangeTest(field: Field, low: string, high: string, negated: boolean): Test | undefined {
  const from = scalar(field, low);
  const to = scalar(field, high);
  return from === undefined || to === undefined ? undefined : { is: 'value', value: { from, to }, negated };
}

function maskedTest(field: Field, mask: string, value: string, negated: boolean): Test | undefined {
  const { type } = fieldRow(field);
  const row = dataTypes[type];
  if (row.addressBits !== undefined) {
    const network = scalar(field, value);
    const ones = [...Buffer.from(mask, 'hex')].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    if (network === undefined) return undefined;
    return { is: 'value', value: `${network}/${ones.lastIndexOf('1') + 1}`, negated };
  }
  if (row.bytes !== 4 || mask.length !== 8) return undefined;
  if (row.bits && word(value) === 0) return { is: 'bits', bits: bitsOf(field, word(mask)), present: negated };
  return { is: 'masked', mask: word(mask), value: word(value), negated };
}

function bitsOf(field: Field, mask: number): readonly Scalar[] {
  const row = dataTypes[fieldRow(field).type];
  return Array.from({ length: 32 }, (_, bit) => (mask & (1 << bit)) >>> 0)
    .filter((bit) => bit !== 0)
    .map((bit) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(bit);
      return row.read(bytes, 0);
    });
}

function scalar(field: Field, hex: string): Scalar | undefined {
  const row = dataTypes[fieldRow(field).type];
  const bytes = Buffer.from(hex, 'hex');
  return bytes.length === row.bytes ? row.read(bytes, 0) : undefined;
}

/** Marks and bits lie in registers as this machine keeps numbers. */
const word = (hex: string): number => {
  const bytes = Buffer.alloc(4);
  bytes.write(hex, 'hex');
  return bytes.readUInt32LE(0);
};
