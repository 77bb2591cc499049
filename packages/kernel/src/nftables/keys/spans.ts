/** One part of a key as bytes: from its lowest to its highest value, both included. */
import {
  badValue,
  type DataType,
  type DataTypeRow,
  dataTypes,
  type Key,
  type Part,
  type Scalar,
} from '../model/index.ts';

export interface Span {
  readonly low: Buffer;
  readonly high: Buffer;
  /** How many leading bits all values of the span share, if it was written as a network or a wildcard. */
  readonly prefixBits?: number;
}

const isSingle = (part: Part): part is Scalar =>
  typeof part === 'number' || (typeof part === 'string' && !part.includes('/') && !part.endsWith('*'));

/** Does it stand for one key, and not for a range of them? */
export const isExact = (key: Key): key is readonly Scalar[] => key.every(isSingle);

export function spanOf(type: DataType, part: Part): Span {
  const row = dataTypes[type];
  if (typeof part === 'object') return rangeSpan(row, type, part.from, part.to);
  if (typeof part === 'string') {
    if (row.addressBits !== undefined && part.includes('/')) return networkSpan(row, row.addressBits, part);
    if (type === 'ifname' && part.endsWith('*')) return wildcardSpan(row, part);
  }
  const value = Buffer.alloc(row.bytes);
  row.write(part, value, 0);
  return { low: value, high: value };
}

function rangeSpan(row: DataTypeRow, type: DataType, from: string | number, to: string | number): Span {
  if (row.hostOrder) throw badValue(`${from}-${to}`, `a single ${type}: it has no ranges`);
  const low = Buffer.alloc(row.bytes);
  const high = Buffer.alloc(row.bytes);
  row.write(from, low, 0);
  row.write(to, high, 0);
  if (low.compare(high) > 0) throw badValue(`${from}-${to}`, 'a range: it ends before it begins');
  return { low, high };
}

function networkSpan(row: DataTypeRow, addressBits: number, text: string): Span {
  const [address = '', length = '', ...rest] = text.split('/');
  const bits = Number(length);
  if (!/^\d{1,3}$/.test(length) || bits > addressBits || rest.length > 0) {
    throw badValue(text, `a network (address/0 to address/${addressBits})`);
  }
  const low = Buffer.alloc(row.bytes);
  row.write(address, low, 0);
  const high = Buffer.from(low);
  const mask = prefixMask(row.bytes, bits);
  for (const [index, kept] of mask.entries()) {
    low[index] = (low[index] ?? 0) & kept;
    high[index] = (high[index] ?? 0) | (~kept & 0xff);
  }
  return { low, high, prefixBits: bits };
}

function wildcardSpan(row: DataTypeRow, text: string): Span {
  const prefix = text.slice(0, -1);
  const low = Buffer.alloc(row.bytes);
  row.write(prefix, low, 0);
  const length = Buffer.byteLength(prefix);
  const high = Buffer.from(low).fill(0xff, length);
  return { low, high, prefixBits: 8 * length };
}

export function prefixMask(bytes: number, bits: number): Buffer {
  return Buffer.from(
    Array.from(
      { length: bytes },
      (_, index) => (0xff00 >> Math.min(8, Math.max(0, bits - 8 * index))) & 0xff,
    ),
  );
}

/** The span back as a part: a single value, a network or wildcard where it is one, else a range. */
export function partOf(type: DataType, low: Buffer, high: Buffer): Part {
  const row = dataTypes[type];
  if (low.equals(high)) return row.read(low, 0);
  const bits = sharedBits(low, high);
  if (type === 'ifname' && bits !== undefined) return `${row.read(low, 0)}*`;
  if (row.addressBits !== undefined && bits !== undefined) return `${row.read(low, 0)}/${bits}`;
  return { from: row.read(low, 0), to: row.read(high, 0) };
}

/** The length of the prefix of which a span holds all values; `undefined` when it is no such span. */
function sharedBits(low: Buffer, high: Buffer): number | undefined {
  let bits = 0;
  while (bits < 8 * low.length && bitAt(low, bits) === bitAt(high, bits)) bits++;
  for (let bit = bits; bit < 8 * low.length; bit++) {
    if (bitAt(low, bit) !== 0 || bitAt(high, bit) !== 1) return undefined;
  }
  return bits;
}

const bitAt = (bytes: Buffer, bit: number): number => ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
