import type { Fault, FaultRule } from './fault.ts';
import { matcherOf } from './pattern.ts';

type Kind = Fault['kind'];

/** How each fault is made of the number behind its name, and what that number is; null: it takes none. */
const makers: { readonly [K in Kind]: readonly [number: string | null, make: (value: number) => Fault] } = {
  delay: ['MS', (ms) => ({ kind: 'delay', ms })],
  'delay-answer': ['MS', (ms) => ({ kind: 'delay-answer', ms })],
  hold: [null, () => ({ kind: 'hold' })],
  'hold-answer': [null, () => ({ kind: 'hold-answer' })],
  fail: ['STATUS', (status) => ({ kind: 'fail', status })],
  'fail-after': ['STATUS', (status) => ({ kind: 'fail-after', status })],
  drop: [null, () => ({ kind: 'drop' })],
  'drop-answer': [null, () => ({ kind: 'drop-answer' })],
  cut: ['BYTES', (afterBytes) => ({ kind: 'cut', afterBytes })],
  shorten: ['BYTES', (afterBytes) => ({ kind: 'shorten', afterBytes })],
  stall: ['BYTES', (afterBytes) => ({ kind: 'stall', afterBytes })],
  'duplicate-events': [null, () => ({ kind: 'duplicate-events' })],
  'swap-events': [null, () => ({ kind: 'swap-events' })],
  'lose-events': ['EVERY', (every) => ({ kind: 'lose-events', every })],
  'delay-events': ['MS', (ms) => ({ kind: 'delay-events', ms })],
};

/** Every fault with its number, for the help. */
export const faultNames: readonly string[] = Object.entries(makers).map(([kind, [number]]) =>
  number === null ? kind : `${kind} ${number}`,
);

const isKind = (text: string): text is Kind => Object.hasOwn(makers, text);

/** Reads "POST /containers/create => fail-after 500 skip 1 times 2". */
export function parseRule(text: string): FaultRule {
  const [on = '', rest = '', ...more] = text.split(/\s*=>\s*/);
  const words = rest.trim().split(/\s+/);
  const kind = words.shift() ?? '';
  if (more.length > 0 || !isKind(kind))
    throw new Error(`"${text}" is not PATTERN => FAULT; the faults are ${faultNames.join(', ')}`);
  matcherOf(on.trim());
  const [unit, make] = makers[kind];
  const fault = make(unit === null ? 0 : numberFrom(words.shift(), unit, text));
  const limits: { skip?: number; times?: number } = {};
  while (words.length > 0) {
    const word = words.shift();
    if (word !== 'skip' && word !== 'times')
      throw new Error(`"${text}": "${word}" is neither skip N nor times N`);
    limits[word] = numberFrom(words.shift(), word, text);
  }
  return { on: on.trim(), fault, ...limits };
}

function numberFrom(word: string | undefined, unit: string, text: string): number {
  if (word === undefined || !/^\d+$/.test(word)) throw new Error(`"${text}": ${unit} has to be a number`);
  return Number(word);
}
