/** Keys, data and times in the language of `nft`. */
import { type Data, type DataType, dataTypes, type Key, type Part } from '../model/index.ts';

export function textOfPart(type: DataType, part: Part): string {
  const { text } = dataTypes[type];
  return typeof part === 'object' ? `${text(part.from)}-${text(part.to)}` : text(part);
}

export const textOfKey = (types: readonly DataType[], key: Key): string =>
  types.map((type, index) => textOfPart(type, key[index] ?? '')).join(' . ');

export function textOfData(types: readonly DataType[] | 'verdict', data: Data): string {
  if ('verdict' in data) return 'chain' in data ? `${data.verdict} ${data.chain}` : data.verdict;
  return types === 'verdict' ? '' : textOfKey(types, data);
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** `90_500` → `1m30s500ms`. */
export function textOfTime(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, length] of units) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
