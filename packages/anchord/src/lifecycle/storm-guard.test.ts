import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StormGuard } from './storm-guard.ts';

function guard(limits: ConstructorParameters<typeof StormGuard>[2] = {}) {
  const time = { now: 0 };
  return {
    time,
    storm: new StormGuard(
      () => time.now,
      () => 0,
      limits,
    ),
  };
}

describe('a guard against storms of repairs', () => {
  it('lets the first repair happen at once, and each further one after a longer pause', () => {
    const { time, storm } = guard();
    const pauses: number[] = [];
    for (let round = 0; round < 7; round++) {
      expect(storm.ask('web')).toEqual({ kind: 'go' });
      storm.done('web');
      const permission = storm.ask('web');
      if (permission.kind !== 'wait') throw new Error(permission.kind);
      pauses.push(permission.ms);
      expect(permission.sinceLastMs).toBe(0);
      time.now += permission.ms;
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('holds a container back that was repaired too often, says so once, and lets it go in the end', () => {
    const { time, storm } = guard({ most: 2, withinMs: 60_000 });
    storm.done('web');
    time.now = 5_000;
    storm.done('web');
    time.now = 10_000;
    expect(storm.ask('web')).toEqual({ kind: 'held', ms: 50_000, isNews: true });
    expect(storm.ask('web')).toEqual({ kind: 'held', ms: 50_000, isNews: false });
    expect(storm.held).toEqual(['web']);
    time.now = 60_000;
    expect(storm.held).toEqual([]);
    expect(storm.ask('web')).toEqual({ kind: 'go' });
  });

  it('does not let one container pay for another', () => {
    const { storm } = guard({ most: 1 });
    storm.done('web');
    expect(storm.ask('web').kind).toBe('held');
    expect(storm.ask('mail')).toEqual({ kind: 'go' });
  });

  it('never lets more through than it may, whoever asks when', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 300 }), (steps) => {
        const { time, storm } = guard({ most: 5, withinMs: 100_000 });
        const repairs: number[] = [];
        for (const step of steps) {
          time.now += step;
          if (storm.ask('web').kind !== 'go') continue;
          storm.done('web');
          repairs.push(time.now);
          expect(repairs.filter((at) => at > time.now - 100_000).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});
