import { describe, expect, it } from 'vitest';
import { seededIds, seededRandom, systemIds, systemRandom } from './random.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('chance', () => {
  it('is the same for the same seed, and another for another', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it.each([
    ['seeded', seededRandom(7)],
    ['of the system', systemRandom],
  ])('%s spreads evenly from 0 up to 1', (_, random) => {
    const tenths = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 20_000; draw++) {
      const value = random();
      expect(value >= 0 && value < 1).toBe(true);
      tenths[Math.floor(value * 10)]! += 1;
    }
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(300);
  });
});

describe('ids', () => {
  it.each([
    ['seeded', seededIds(7)],
    ['of the system', systemIds],
  ])('%s are well-formed and do not repeat', (_, ids) => {
    const uuids = new Set(Array.from({ length: 1000 }, () => ids.uuid()));
    expect(uuids.size).toBe(1000);
    for (const uuid of uuids) expect(uuid).toMatch(UUID);
    expect(ids.token(16)).toMatch(/^[0-9a-f]{32}$/);
    expect(ids.token(16)).not.toBe(ids.token(16));
  });
});
