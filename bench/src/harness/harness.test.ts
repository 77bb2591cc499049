import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MeasureOptions, measure, measureInTurns, percentile, timingOf } from './measure.ts';
import { tableOf } from './table.ts';

describe('a timing', () => {
  /** Each round takes as long as it is told to. */
  const timed = (options: Omit<MeasureOptions, 'now'>, tookMs: (round: number) => number) => {
    let at = 0;
    return measure({ ...options, now: () => at }, (round) => {
      at += tookMs(round);
    });
  };

  it('is made of the rounds after the warm-up', async () => {
    const timing = await timed({ rounds: 100, warmUp: 5 }, (round) => (round < 5 ? 1_000 : round - 4));
    expect(timing).toEqual({ rounds: 100, p50: 50, p99: 99, max: 100 });
  });

  it('ends early when it takes too long, but not before it has seen a few rounds', async () => {
    expect(await timed({ rounds: 1_000, warmUp: 0, withinMs: 100 }, () => 20)).toMatchObject({ rounds: 10 });
    expect(await timed({ rounds: 1_000, warmUp: 0, withinMs: 100 }, () => 5)).toMatchObject({ rounds: 21 });
  });

  it('of two ways is taken in turns, each first as often, and ends for both at once', async () => {
    let at = 0;
    const order: string[] = [];
    const way = (name: string, tookMs: number) => (round: number) => {
      order.push(`${name}${round}`);
      at += tookMs;
    };
    const options = { rounds: 1_000, withinMs: 100, now: () => at };
    const { ours, bare } = await measureInTurns(options, way('ours', 6), way('bare', 3));
    expect(order.slice(0, 6)).toEqual(['ours0', 'bare0', 'bare1', 'ours1', 'ours2', 'bare2']);
    expect([ours, bare]).toMatchObject([
      { rounds: 12, p50: 6 },
      { rounds: 12, p50: 3 },
    ]);
  });

  it('takes percentiles from samples that were really there, and half of them are not above the median', () => {
    const samples = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, part) => {
        const sorted = values.toSorted((a, b) => a - b);
        const value = percentile(sorted, part);
        expect(sorted).toContain(value);
        expect(sorted.filter((sample) => sample <= value).length).toBeGreaterThanOrEqual(
          sorted.length * part,
        );
        const { p50, p99, max } = timingOf(values);
        expect(p50 <= p99 && p99 <= max).toBe(true);
      }),
    );
  });
});

describe('a table of results', () => {
  it('aligns words and figures, and leaves out what a row does not have', () => {
    const rows = [
      { work: '1 element', by: 'berth', figures: { p50: 0.0213, p99: 1.5, rounds: 200 } },
      { work: '10000 elements', by: 'nft', figures: { p50: 123.456 } },
    ];
    expect(tableOf(rows)).toBe(
      [
        'work            by       p50   p99  rounds',
        '--------------  -----  -----  ----  ------',
        '1 element       berth  0.021  1.50     200',
        '10000 elements  nft    123.5',
      ].join('\n'),
    );
  });
});
