/** Elements onto the wire. Maps hold thousands of them, so this is the one hot path here. */
import type { MessageWriter } from '../../netlink/index.ts';
import { isExact, keySpan, type Layout, type SetPlan, stepped, writeKey } from '../keys/index.ts';
import { type AnyElement, badValue, type Key, type Scalar } from '../model/index.ts';
import {
  DATA_VALUE,
  DATA_VERDICT,
  ELEMENT_DATA,
  ELEMENT_FLAGS,
  ELEMENT_INTERVAL_END,
  ELEMENT_KEY,
  ELEMENT_KEY_END,
  ELEMENT_TIMEOUT,
  ELEMENT_USERDATA,
  LIST_ELEMENT,
} from './message-numbers.ts';
import { COMMENT, comment, writeNotes } from './userdata.ts';
import { writeVerdict } from './verdict-codec.ts';

/** A list of elements is one attribute, whose length has 16 bits: long lists go in portions. */
const MOST_BYTES = 60_000;
const MOST_ELEMENTS = 1000;

export function* portions(plan: SetPlan, elements: readonly AnyElement[]): Generator<readonly AnyElement[]> {
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index];
    const next = element === undefined ? 0 : mostBytes(plan, element);
    if (index > start && (bytes + next > MOST_BYTES || index - start === MOST_ELEMENTS)) {
      yield elements.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += next;
  }
  if (start < elements.length) yield start === 0 ? elements : elements.slice(start);
}

/** What an element takes up at most. */
function mostBytes(plan: SetPlan, { comment: text, data }: AnyElement): number {
  const keys = plan.shape === 'exact' ? 1 : 2;
  const verdict = data !== undefined && 'chain' in data ? data.chain.length * 4 : 0;
  const value =
    plan.data === undefined || plan.data === 'verdict' ? 24 + verdict : 8 + stepped(plan.data.bytes);
  return (
    keys * (4 + 8 + 8 + stepped(plan.key.bytes)) + value + 12 + (text === undefined ? 0 : 8 + text.length * 4)
  );
}

/** Writes one portion; `identify` leaves out all but the keys, as a deletion wants it. */
export function writeElements(
  writer: MessageWriter,
  plan: SetPlan,
  elements: readonly AnyElement[],
  identify = false,
): void {
  const key = Buffer.alloc(plan.key.bytes);
  const data = Buffer.alloc(plan.data === undefined || plan.data === 'verdict' ? 0 : plan.data.bytes);
  for (const element of elements) {
    const rest = (): void => {
      if (!identify) writeRest(writer, plan, element, data);
    };
    if (plan.shape === 'exact') {
      writeKey(plan.key, exactKey(element.key), key);
      writer.nested(LIST_ELEMENT, () => {
        writeKeyAttribute(writer, ELEMENT_KEY, key);
        rest();
      });
    } else {
      writeRanged(writer, plan, element, rest);
    }
  }
}

function writeRanged(writer: MessageWriter, plan: SetPlan, element: AnyElement, rest: () => void): void {
  const { low, high } = keySpan(plan.key, element.key);
  writer.nested(LIST_ELEMENT, () => {
    writeKeyAttribute(writer, ELEMENT_KEY, low);
    if (plan.shape === 'spans') writeKeyAttribute(writer, ELEMENT_KEY_END, high);
    rest();
  });
  const behind = plan.shape === 'marks' ? successor(high) : undefined;
  if (behind !== undefined) {
    writer.nested(LIST_ELEMENT, () => {
      writer.u32be(ELEMENT_FLAGS, ELEMENT_INTERVAL_END);
      writeKeyAttribute(writer, ELEMENT_KEY, behind);
    });
  }
}

function exactKey(key: Key): readonly Scalar[] {
  if (isExact(key)) return key;
  throw badValue(key, 'a single key: the set is not made for ranges');
}

function writeKeyAttribute(writer: MessageWriter, type: number, value: Buffer): void {
  writer.nested(type, () => writer.binary(DATA_VALUE, value));
}

function writeRest(writer: MessageWriter, plan: SetPlan, element: AnyElement, scratch: Buffer): void {
  if (plan.data !== undefined) writeData(writer, plan.data, element, scratch);
  if (element.timeoutMs !== undefined) writer.u64be(ELEMENT_TIMEOUT, BigInt(element.timeoutMs));
  if (element.comment !== undefined) {
    writer.binary(ELEMENT_USERDATA, writeNotes([comment(COMMENT, element.comment)]));
  }
}

function writeData(
  writer: MessageWriter,
  plan: Layout | 'verdict',
  { key, data }: AnyElement,
  scratch: Buffer,
): void {
  if (data === undefined || 'verdict' in data !== (plan === 'verdict')) {
    throw badValue(data, `what the map answers for ${JSON.stringify(key)}`);
  }
  writer.nested(ELEMENT_DATA, () => {
    if ('verdict' in data) {
      writer.nested(DATA_VERDICT, () => writeVerdict(writer, data));
    } else if (plan !== 'verdict') {
      writeKey(plan, data, scratch);
      writer.binary(DATA_VALUE, scratch);
    }
  });
}

/** The key right behind; `undefined` behind the last one there is. */
function successor(key: Buffer): Buffer | undefined {
  const next = Buffer.from(key);
  for (let index = next.length - 1; index >= 0; index--) {
    next[index] = ((next[index] ?? 0) + 1) & 0xff;
    if (next[index] !== 0) return next;
  }
  return undefined;
}

/** The key right before; `undefined` before zero. */
export function predecessor(key: Buffer): Buffer | undefined {
  const last = Buffer.from(key);
  for (let index = last.length - 1; index >= 0; index--) {
    last[index] = ((last[index] ?? 0) - 1) & 0xff;
    if (last[index] !== 0xff) return last;
  }
  return undefined;
}
