/** From a match to expressions. */
import { prefixMask, type Span, spanOf } from '../keys/index.ts';
import {
  badValue,
  dataTypes,
  type Expression,
  exists,
  type Family,
  type Field,
  fieldRow,
  type InlineSet,
  type Match,
  type Named,
  type Part,
  type SetReference,
  type Test,
} from '../model/index.ts';
import { load, loadAll } from './registers.ts';

export function lowerMatch(family: Family, { fields, test }: Match): Expression[] {
  for (const field of fields) {
    if (!exists(family, field)) throw badValue(field, `a field of packets in an ${family} table`);
  }
  const [field, ...others] = fields;
  if (test.is === 'in') {
    const only = others.length === 0 && field !== undefined ? onlyMember(field, test.set) : undefined;
    if (field !== undefined && only !== undefined) return lowerValue(field, only, test.negated);
    return lowerMembership(fields, test.set, test.negated);
  }
  if (field === undefined || others.length > 0) {
    throw badValue(fields.join(' . '), 'one field: several are matched against a set');
  }
  return lowerTest(field, test);
}

/** A set of one value is that value. */
function onlyMember(field: Field, set: Named | InlineSet): Part | undefined {
  const [key, ...others] = 'keys' in set ? set.keys : [];
  return others.length > 0 || dataTypes[fieldRow(field).type].bits ? undefined : key?.[0];
}

function lowerMembership(fields: readonly Field[], set: Named | InlineSet, negated: boolean): Expression[] {
  const key = fields.map((field) => fieldRow(field).type);
  const reference: SetReference = 'name' in set ? set : { key, content: set };
  return [...loadAll(fields), { is: 'lookup', set: reference, from: 0, negated }];
}

function lowerTest(field: Field, test: Exclude<Test, { readonly is: 'in' }>): Expression[] {
  switch (test.is) {
    case 'value':
      return lowerValue(field, test.value, test.negated);
    case 'masked':
      return [
        load(field, 0),
        maskedBy(hexOf(field, test.mask)),
        compare(hexOf(field, test.value), test.negated),
      ];
    case 'bits': {
      const bits = test.bits.reduce<number>((all, bit) => all | bitsOf(field, bit), 0);
      return [load(field, 0), maskedBy(hexOf(field, bits)), compare(hexOf(field, 0), test.present)];
    }
  }
}

const compare = (value: string, negated: boolean): Expression => ({
  is: 'cmp',
  operator: negated ? '!=' : '==',
  from: 0,
  value,
});

const maskedBy = (mask: string): Expression => ({
  is: 'bitwise',
  from: 0,
  into: 0,
  mask,
  xor: '0'.repeat(mask.length),
});

function lowerValue(field: Field, value: Part, negated: boolean): Expression[] {
  const span = spanOf(fieldRow(field).type, value);
  if (span.low.equals(span.high)) return [load(field, 0), compare(span.low.toString('hex'), negated)];
  if (span.prefixBits !== undefined) return lowerPrefix(field, span, span.prefixBits, negated);
  const low = span.low.toString('hex');
  const high = span.high.toString('hex');
  if (negated) return [load(field, 0), { is: 'range', from: 0, low, high, negated }];
  return [
    load(field, 0),
    { is: 'cmp', operator: '>=', from: 0, value: low },
    { is: 'cmp', operator: '<=', from: 0, value: high },
  ];
}

/** Whole bytes are compared as they are, if the kernel can load so few of them; otherwise the rest is masked away. */
function lowerPrefix(field: Field, span: Span, bits: number, negated: boolean): Expression[] {
  if (bits === 0) throw badValue(`${field} with a prefix of length 0`, 'a match: every packet has it');
  const { source, type } = fieldRow(field);
  const wanted = span.low.subarray(0, bits / 8).toString('hex');
  if (type === 'ifname') return [load(field, 0), compare(wanted, negated)];
  if (bits % 8 === 0 && source.from === 'payload')
    return [load(field, 0, bits / 8), compare(wanted, negated)];
  const mask = prefixMask(span.low.length, bits).toString('hex');
  return [load(field, 0), maskedBy(mask), compare(span.low.toString('hex'), negated)];
}

function hexOf(field: Field, value: number): string {
  const row = dataTypes[fieldRow(field).type];
  const bytes = Buffer.alloc(row.bytes);
  row.write(value, bytes, 0);
  return bytes.toString('hex');
}

function bitsOf(field: Field, bit: string | number): number {
  const row = dataTypes[fieldRow(field).type];
  if (!row.bits) throw badValue(field, 'a field of bits');
  const bytes = Buffer.alloc(row.bytes);
  row.write(bit, bytes, 0);
  return bytes.readUInt32LE(0);
}
