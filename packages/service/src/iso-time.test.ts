import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from './iso-time.ts';

const farthest = 8.64e15;

it.each([
  0,
  -1,
  1,
  86_399_999,
  86_400_000,
  -86_400_001,
  1_795_853_107_042,
  -62_167_219_200_001,
  farthest,
  -farthest,
  1.5,
])('writes %d as dates do', (ms) => {
  expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});

it.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  farthest + 1,
  -farthest - 1,
])('refuses %d as dates do', (ms) => {
  expect(() => isoTime(ms)).toThrow(RangeError);
});

it('writes any time as dates do, also of more days than it remembers', () => {
  const property = fc.property(fc.integer({ min: -farthest, max: farthest }), (ms) => {
    expect(isoTime(ms)).toBe(new Date(ms).toISOString());
  });
  fc.assert(property, { numRuns: 10_000 });
});
