import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { signalsNoLongerCaught } from './missed-signals.ts';

const endings = ['SIGTERM', 'SIGINT'] as const;
const statusWith = (mask: string): string =>
  `Name:\tnode\nSigIgn:\t0000000001001000\nSigCgt:\t${mask}\nCapInh:\t0\n`;

it.each([
  ['0000000100004602', []],
  ['0000000100000602', ['SIGTERM']],
  ['0000000100004600', ['SIGINT']],
  ['0000000000000000', ['SIGTERM', 'SIGINT']],
])('tells by the mask %s which handlers of Node were used up', (mask, missed) => {
  expect(signalsNoLongerCaught(statusWith(mask), endings)).toEqual(missed);
});

it('says nothing where the kernel does not tell', () => {
  expect(signalsNoLongerCaught('Name:\tnode\n', endings)).toEqual([]);
});

it('finds none in a process of today: Node handles both from its start', () => {
  expect(signalsNoLongerCaught(readFileSync('/proc/self/status', 'utf8'), endings)).toEqual([]);
});
