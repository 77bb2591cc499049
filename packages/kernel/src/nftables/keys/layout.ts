/** How the parts of a key lie side by side: alone as they are, in a concatenation each on four-byte steps. */
import {
  badValue,
  type DataType,
  type DataTypeRow,
  dataTypes,
  type Key,
  type Part,
  type Scalar,
} from '../model/index.ts';
import { partOf, spanOf } from './spans.ts';

const STEP = 4;
export const stepped = (bytes: number): number => Math.ceil(bytes / STEP) * STEP;

export interface Layout {
  readonly slots: readonly Slot[];
  readonly bytes: number;
}

interface Slot {
  readonly type: DataType;
  readonly row: DataTypeRow;
  readonly at: number;
}

export function layoutOf(types: readonly DataType[]): Layout {
  let at = 0;
  const slots = types.map((type) => {
    const slot = { type, row: dataTypes[type], at };
    at += stepped(slot.row.bytes);
    return slot;
  });
  const [only, ...others] = slots;
  return { slots, bytes: only !== undefined && others.length === 0 ? only.row.bytes : at };
}

/** Writes a key without ranges. The gaps of a concatenation must be zero already. */
export function writeKey(layout: Layout, key: readonly Scalar[], into: Buffer): void {
  const { slots } = layout;
  if (key.length !== slots.length) throw wrongLength(layout, key);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index];
    const part = key[index];
    if (slot !== undefined && part !== undefined) slot.row.write(part, into, slot.at);
  }
}

export function readKey(layout: Layout, from: Buffer): Scalar[] {
  return layout.slots.map(({ row, at }) => row.read(from, at));
}

/** The lowest and the highest key of an element, both included. */
export function keySpan(layout: Layout, key: Key): { readonly low: Buffer; readonly high: Buffer } {
  if (key.length !== layout.slots.length) throw wrongLength(layout, key);
  const low = Buffer.alloc(layout.bytes);
  const high = Buffer.alloc(layout.bytes);
  for (const [index, { type, at }] of layout.slots.entries()) {
    const span = spanOf(type, key[index] ?? '');
    low.set(span.low, at);
    high.set(span.high, at);
  }
  return { low, high };
}

export function keyOfSpan(layout: Layout, low: Buffer, high: Buffer): Part[] {
  return layout.slots.map(({ type, row, at }) =>
    partOf(type, low.subarray(at, at + row.bytes), high.subarray(at, at + row.bytes)),
  );
}

function wrongLength(layout: Layout, key: Key): Error {
  const wanted = layout.slots.map(({ type }) => type).join(' . ');
  return badValue(key, `${wanted}: it has ${key.length} parts instead of ${layout.slots.length}`);
}
