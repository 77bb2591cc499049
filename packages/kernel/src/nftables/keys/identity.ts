/** When two keys are the same, however they are written. */
import { type Data, dataTypes, type Key } from '../model/index.ts';
import { keySpan, type Layout, writeKey } from './layout.ts';
import { isExact } from './spans.ts';

/** How a key is written: the same words are the same key, other words may be. */
export function keyWords(key: Key): string | number {
  const [only] = key;
  if (key.length === 1 && typeof only !== 'object' && only !== undefined) return only;
  return key.map((part) => (typeof part === 'object' ? `${part.from}-${part.to}` : part)).join(' ');
}

/** Where other words are another key, so that nobody has to look at the bytes. */
export const hasOneSpelling = ({ slots }: Layout): boolean =>
  slots.every(({ type }) => dataTypes[type].oneSpelling);

export function keyIdentity(layout: Layout, key: Key): string {
  if (isExact(key)) {
    const bytes = Buffer.allocUnsafe(layout.bytes).fill(0);
    writeKey(layout, key, bytes);
    return bytes.toString('latin1');
  }
  const { low, high } = keySpan(layout, key);
  return low.equals(high) ? low.toString('latin1') : `${low.toString('latin1')}-${high.toString('latin1')}`;
}

export function dataIdentity(plan: Layout | 'verdict', data: Data): string {
  if ('verdict' in data || plan === 'verdict') return JSON.stringify(data);
  const bytes = Buffer.alloc(plan.bytes);
  writeKey(plan, data, bytes);
  return bytes.toString('latin1');
}
