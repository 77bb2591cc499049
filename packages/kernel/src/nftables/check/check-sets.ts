import { kernelErrors } from '../../errors.ts';
import { hasOneSpelling, keyIdentity, keyWords, type Layout, layoutOf } from '../keys/index.ts';
import { dataTypes, hasRanges, type Key, type SetOrMap, type Table } from '../model/index.ts';
import { jumpProblems } from './check-jumps.ts';
import { numberProblem, timeoutProblem } from './check-numbers.ts';

const MOST_KEY_BYTES = 64;
const MOST_KEY_TYPES = 5;

export function* setProblems(table: Table, set: SetOrMap): Generator<string> {
  const bytes = set.key.reduce((sum, type) => sum + Math.ceil(dataTypes[type].bytes / 4) * 4, 0);
  if (set.key.length === 0) yield 'its keys have no type';
  if (set.key.length > MOST_KEY_TYPES || bytes > MOST_KEY_BYTES) yield 'its keys are too long';
  if (set.intervals === true && !set.key.every(hasRanges))
    yield 'values of its types have no order for ranges';
  if (set.kind === 'map' && set.data.length === 0) yield 'its data has no type';
  if (set.size !== undefined) yield* numberProblem('its size', set.size, 1, 0xffff_ffff);
  yield* timeoutProblems(set);
  yield* duplicateProblems(set);
  if (set.kind !== 'map' || set.data !== 'verdict') return;
  for (const { data } of set.elements) yield* jumpProblems(table, data);
}

function* timeoutProblems(set: SetOrMap): Generator<string> {
  if (set.timeoutMs !== undefined) yield* timeoutProblem(set.timeoutMs);
  const timed = set.timeouts === true || set.timeoutMs !== undefined;
  for (const { timeoutMs } of set.elements) {
    if (timeoutMs === undefined) continue;
    if (!timed) yield 'an element has a timeout, and the set takes none';
    yield* timeoutProblem(timeoutMs);
  }
}

/** The kernel takes a key twice if both say the same, and would be told again each time we look. */
function* duplicateProblems({ key: types, intervals = false, elements }: SetOrMap): Generator<string> {
  const layout = layoutOf(types);
  const identify = !intervals && hasOneSpelling(layout) ? keyWords : (key: Key) => identityOf(layout, key);
  const seen = new Set<string | number>();
  for (const { key } of elements) {
    const identity = identify(key);
    if (seen.has(identity)) yield `its element ${JSON.stringify(key)} is there twice`;
    seen.add(identity);
  }
}

/** A key that is none is found, and said, when it is written. */
function identityOf(layout: Layout, key: Key): string | number {
  try {
    return keyIdentity(layout, key);
  } catch (error) {
    if (kernelErrors.is(error, 'KERNEL_BAD_VALUE')) return keyWords(key);
    throw error;
  }
}
