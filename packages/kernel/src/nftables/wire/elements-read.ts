/** Elements off the wire. */
import { Attributes } from '../../netlink/index.ts';
import { keyOfSpan, type Layout, readKey, type SetPlan } from '../keys/index.ts';
import { type AnyElement, type Data, given, type Tally } from '../model/index.ts';
import { predecessor } from './elements-write.ts';
import {
  DATA_VALUE,
  DATA_VERDICT,
  ELEMENT_DATA,
  ELEMENT_EXPIRATION,
  ELEMENT_EXPRESSION,
  ELEMENT_FLAGS,
  ELEMENT_INTERVAL_END,
  ELEMENT_KEY,
  ELEMENT_KEY_END,
  ELEMENT_TIMEOUT,
  ELEMENT_USERDATA,
} from './message-numbers.ts';
import { readComment } from './userdata.ts';
import { readVerdict } from './verdict-codec.ts';

type Rest = Omit<AnyElement, 'key' | 'data'>;

interface RawElement {
  readonly key: Buffer;
  readonly keyEnd: Buffer | undefined;
  /** Only says that a range ended before this key. */
  readonly isEnd: boolean;
  readonly data: Buffer | undefined;
  readonly rest: Rest | undefined;
}

/** Reads all elements of a set; `complain` hears of those that we have no word for. */
export function readElements(
  plan: SetPlan,
  lists: readonly Attributes[],
  complain: (why: string) => void,
): AnyElement[] {
  const known: RawElement[] = [];
  for (const list of lists) {
    for (const [, bytes] of list.each()) {
      const element = readRaw(new Attributes(bytes));
      if (element?.key.length === plan.key.bytes) known.push(element);
      else complain('an element that stands for all others, or with a key of another width');
    }
  }
  const elements: AnyElement[] = [];
  for (const raw of plan.shape === 'marks' ? closeRanges(known) : known) {
    const data = plan.data === undefined ? undefined : readData(plan.data, raw.data);
    if (plan.data === undefined || data !== undefined) elements.push(elementOf(plan, raw, data));
    else complain('an element whose data we have no word for');
  }
  return elements;
}

/** Thousands of them: no object more than it takes. */
function elementOf(
  plan: SetPlan,
  { key: low, keyEnd, rest }: RawElement,
  data: Data | undefined,
): AnyElement {
  const key = plan.shape === 'exact' ? readKey(plan.key, low) : keyOfSpan(plan.key, low, keyEnd ?? low);
  if (data === undefined) return rest === undefined ? { key } : { key, ...rest };
  return rest === undefined ? { key, data } : { key, data, ...rest };
}

function readRaw(attributes: Attributes): RawElement | undefined {
  let rest: Rest | undefined;
  let key: Buffer | undefined;
  let keyEnd: Buffer | undefined;
  let data: Buffer | undefined;
  let isEnd = false;
  for (const [type, value] of attributes.each()) {
    switch (type) {
      case ELEMENT_KEY:
        key = new Attributes(value).binary(DATA_VALUE);
        break;
      case ELEMENT_KEY_END:
        keyEnd = new Attributes(value).binary(DATA_VALUE);
        break;
      case ELEMENT_DATA:
        data = value;
        break;
      case ELEMENT_FLAGS:
        isEnd = ((attributes.u32be(ELEMENT_FLAGS) ?? 0) & ELEMENT_INTERVAL_END) !== 0;
        break;
      case ELEMENT_TIMEOUT:
        rest = { ...rest, ...positive('timeoutMs', attributes.u64be(ELEMENT_TIMEOUT)) };
        break;
      case ELEMENT_EXPIRATION:
        rest = { ...rest, ...positive('expiresMs', attributes.u64be(ELEMENT_EXPIRATION)) };
        break;
      case ELEMENT_USERDATA:
        rest = { ...rest, ...given('comment', readComment(value)) };
        break;
      case ELEMENT_EXPRESSION:
        rest = { ...rest, ...given('tally', readTally(new Attributes(value))) };
        break;
      default:
    }
  }
  return key === undefined ? undefined : { key, keyEnd, isEnd, data, rest };
}

/** Zero means: none. */
const positive = <K extends string>(key: K, value: bigint | undefined): { readonly [P in K]?: number } =>
  given(key, value === undefined || value === 0n ? undefined : Number(value));

const EXPRESSION_NAME = 1;
const EXPRESSION_DATA = 2;
const COUNTER_BYTES = 1;
const COUNTER_PACKETS = 2;

/** What an element counted, if that is what it does with the packets that meet it. */
export function readTally(expression: Attributes): Tally | undefined {
  const data = expression.nested(EXPRESSION_DATA);
  if (expression.string(EXPRESSION_NAME) !== 'counter' || data === undefined) return undefined;
  return {
    packets: Number(data.u64be(COUNTER_PACKETS) ?? 0),
    bytes: Number(data.u64be(COUNTER_BYTES) ?? 0),
  };
}

function readData(plan: Layout | 'verdict', bytes: Buffer | undefined): Data | undefined {
  if (bytes === undefined) return undefined;
  const attributes = new Attributes(bytes);
  if (plan === 'verdict') {
    const verdict = attributes.nested(DATA_VERDICT);
    return verdict === undefined ? undefined : readVerdict(verdict);
  }
  const value = attributes.binary(DATA_VALUE);
  // The kernel keeps data in whole registers.
  return value === undefined || value.length < plan.bytes ? undefined : readKey(plan, value);
}

/** Each range ends right before the next mark, or with the last key there is. */
function closeRanges(elements: readonly RawElement[]): RawElement[] {
  const sorted = elements.toSorted(
    (one, other) => one.key.compare(other.key) || Number(other.isEnd) - Number(one.isEnd),
  );
  const ranges: RawElement[] = [];
  let behind: Buffer | undefined;
  for (const element of sorted.toReversed()) {
    if (!element.isEnd) {
      const keyEnd = behind === undefined ? Buffer.alloc(element.key.length, 0xff) : predecessor(behind);
      ranges.push({ ...element, keyEnd });
    }
    behind = element.key;
  }
  return ranges.reverse();
}
