import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseBareSeconds, parseDuration, toNanoseconds } from './duration.ts';

const ms = (text: string): number => {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.why}`);
  return parsed.ms;
};

const why = (text: string): string => {
  const parsed = parseDuration(text);
  return parsed.ok ? `parsed as ${parsed.ms}` : parsed.why;
};

describe('duration literals', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5m', 90_000],
    ['500ms', 500],
    ['1us', 0.001],
    ['1\u00b5s', 0.001],
    ['1\u03bcs', 0.001],
    ['1ns', 0.000001],
    ['.5s', 500],
    ['5.s', 5_000],
    ['0', 0],
    ['-0', 0],
    ['+5s', 5_000],
    ['-1.5h', -5_400_000],
    ['1m1m', 120_000],
    ['0.0000000001s', 0],
    ['-2562047h47m16.854775808s', -9223372036854.775],
  ])('%s is %d ms', (text, expected) => {
    expect(ms(text)).toBe(expected);
  });

  it.each([
    ['', 'it is empty'],
    ['-', 'it is empty'],
    ['5', 'the unit is missing after "5"'],
    ['1h5', 'the unit is missing after "5"'],
    ['5d', '"d" is not a unit'],
    ['5S', 'it is no duration'],
    ['5 s', 'it is no duration'],
    [' 5s', 'it is no duration'],
    ['s', 'there is no number before the unit "s"'],
    ['.s', 'there is no number before the unit "s"'],
    ['--5s', 'it is no duration'],
    ['1,5s', 'it is no duration'],
    ['5m-3s', 'it is no duration'],
    ['2562047h47m16.854775808s', 'it is longer than 292 years'],
    [`${'9'.repeat(400)}h`, 'it is longer than 292 years'],
  ])('%j is refused', (text, reason) => {
    expect(why(text)).toContain(reason);
  });

  it('come back from their printed form, to the nanosecond up to days', () => {
    const spans = fc.bigInt({ min: -(2n ** 50n), max: 2n ** 50n });
    fc.assert(
      fc.property(spans, (ns) => {
        const printed = formatDuration(Number(ns) / 1e6);
        expect(toNanoseconds(ms(printed))).toBe(ns);
      }),
    );
  });

  it('never throw, whatever the text', () => {
    const pieces = fc.array(
      fc.constantFrom('1', '.', 'h', 'ms', '-', 'µs', ' ', '0', 'x', '99999999999', 'constructor'),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const parsed = parseDuration(parts.join(''));
        expect(parsed.ok ? Number.isFinite(parsed.ms) : parsed.why.length > 0).toBe(true);
      }),
    );
  });

  it.each([
    [0, '0s'],
    [0.0005, '500ns'],
    [0.0015, '1.5\u00b5s'],
    [1.5, '1.5ms'],
    [1500, '1.5s'],
    [300_000, '5m0s'],
    [5_400_000, '1h30m0s'],
    [-90_000, '-1m30s'],
    [7_776_000_000, '2160h0m0s'],
  ])('%d ms is printed as %s', (span, printed) => {
    expect(formatDuration(span)).toBe(printed);
  });
});

describe('bare integers', () => {
  it.each([
    ['30', 30_000],
    ['+5', 5_000],
    ['-3', -3_000],
    ['007', 7_000],
  ])('%s means that many seconds', (text, expected) => {
    expect(parseBareSeconds(text)).toEqual({ ok: true, ms: expected });
  });

  it.each(['5s', '1.5', '', ' 5', '1_000', '0x10'])('%j is none', (text) => {
    expect(parseBareSeconds(text)).toBeUndefined();
  });

  it('must fit, too', () => {
    expect(parseBareSeconds('9223372037')).toEqual({ ok: false, why: 'it is longer than 292 years' });
  });
});
