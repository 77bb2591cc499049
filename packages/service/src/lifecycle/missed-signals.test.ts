import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { handles } from './missed-signals.ts';

const statusWith = (mask: string): string =>
  `Name:\tnode\nSigIgn:\t0000000001001000\nSigCgt:\t${mask}\nCapInh:\t0\n`;

it.each([
  ['0000000100004602', true, true],
  ['0000000100000602', false, true],
  ['0000000100004600', true, false],
  ['0000000000000000', false, false],
])('tells by the mask %s which signals are handled', (mask, term, int) => {
  const status = statusWith(mask);
  expect([handles(status, 'SIGTERM'), handles(status, 'SIGINT')]).toEqual([term, int]);
});

it('says nothing where the kernel does not tell', () => {
  expect(handles('Name:\tnode\n', 'SIGTERM')).toBeUndefined();
});

it('is right of a process of today: Node handles both from its start', () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  expect([handles(status, 'SIGTERM'), handles(status, 'SIGINT')]).toEqual([true, true]);
});
