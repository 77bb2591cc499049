/** A day from the seed of the run, again and again the same; `BERTH_SEED=random` lives another one, and a failure names its seed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Day } from './day.ts';

describe('a network-anchor, for 24 hours', () => {
  it('loses no change, lets nothing flap, and has everything right whenever things calm down', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
        const { happened } = await new Day(seed).live();
        for (const incident of Object.keys(happened)) seen.add(incident);
      }),
      { numRuns: 1, endOnFailure: true },
    );
    expect(seen.size).toBe(18);
  }, 120_000);

  it('goes the same way again with the same seed', async () => {
    const hours = 2;
    expect(await new Day(7, hours).live()).toEqual(await new Day(7, hours).live());
  }, 60_000);
});
