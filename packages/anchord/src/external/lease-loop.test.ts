import { VirtualClock } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { keepLease } from './lease-loop.ts';

/** A loop whose interface comes and goes; its clients fail as soon as it is away. */
function loop(backoffMaxMs: number) {
  const { metrics } = testParts();
  const clock = new VirtualClock();
  const state = { present: true, started: 0, lost: [] as number[], fail: (): void => undefined };
  const end = new AbortController();
  const ended = keepLease(
    {
      ...{ family: 'v4', backoffMaxMs, clock, metrics },
      onScrape: () => () => undefined,
      present: () => state.present,
      start: (failed) => {
        if (!state.present) throw new Error('there is no interface');
        state.started += 1;
        state.fail = () => failed(new Error('the interface is gone'));
        return { leaseEndsAtMs: undefined, ignored: {}, stop: () => undefined };
      },
      lost: (_, backoffMs) => state.lost.push(backoffMs),
    },
    end.signal,
  );
  const stop = async () => {
    end.abort();
    await ended;
  };
  return { state, clock, stop };
}

describe('the lease of an interface that comes and goes', () => {
  it('is asked for as soon as the interface is back, however long the pauses had become', async () => {
    const { state, clock, stop } = loop(300_000);
    await clock.advance(0);
    expect(state.started).toBe(1);
    state.present = false;
    state.fail();
    await clock.advance(600_000);
    expect(state.lost).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
    ]);
    state.present = true;
    await clock.advance(1_000);
    expect(state.started).toBe(2);
    await stop();
  });

  it('is asked for in longer and longer pauses while the interface is there, and the client fails', async () => {
    const { state, clock, stop } = loop(4_000);
    await clock.advance(0);
    const startedBy: number[] = [];
    for (let second = 0; second < 12; second++) {
      state.fail();
      await clock.advance(1_000);
      startedBy.push(state.started);
    }
    expect(startedBy).toEqual([2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5]);
    await stop();
  });
});
