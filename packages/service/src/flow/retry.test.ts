import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { Backoff, retry } from './index.ts';

describe('Backoff', () => {
  it('grows up to its limit, and begins anew after a success', () => {
    const backoff = new Backoff({ initialMs: 1_000, maxMs: 5_000 });
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
      1000, 2000, 4000, 5000, 5000,
    ]);
    expect(backoff.failures).toBe(5);
    backoff.reset();
    expect(backoff.next()).toBe(1000);
  });

  it('leaves to chance no more than its jitter, however long it goes on failing', () => {
    const options = fc.record({
      initialMs: fc.integer({ min: 1, max: 1000 }),
      over: fc.nat(100_000),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(options, ({ initialMs, over, jitter, seed }) => {
        const maxMs = initialMs + over;
        const backoff = new Backoff({ initialMs, maxMs, jitter, random: seededRandom(seed) });
        for (let failure = 0; failure < 2000; failure++) {
          const full = Math.min(maxMs, initialMs * 2 ** failure);
          const pause = backoff.next();
          expect(pause).toBeLessThanOrEqual(full);
          expect(pause).toBeGreaterThanOrEqual(full * (1 - jitter) - 1e-6);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    { initialMs: -1, maxMs: 5 },
    { initialMs: 6, maxMs: 5 },
    { initialMs: 1, maxMs: 5, factor: 0.5 },
    { initialMs: Number.NaN, maxMs: 5 },
  ])('refuses %j', (options) => {
    expect(() => new Backoff(options)).toThrow(RangeError);
  });
});

describe('retry', () => {
  const clock = () => new VirtualClock();
  const backoff = () => new Backoff({ initialMs: 100, maxMs: 1_000 });

  it('tries until it works, pausing longer each time', async () => {
    const time = clock();
    const at: number[] = [];
    const pauses: number[] = [];
    const pauseFor = backoff();
    const result = retry(
      { clock: time, backoff: pauseFor, onRetry: (_, pauseMs) => pauses.push(pauseMs) },
      async (count) => {
        at.push(time.monotonic());
        if (count < 4) throw new Error(`failure ${count}`);
        return 'done';
      },
    );
    await time.advance(10_000);
    expect(await result).toBe('done');
    expect(at).toEqual([0, 100, 300, 700]);
    expect(pauses).toEqual([100, 200, 400]);
    expect(pauseFor.failures).toBe(0);
    expect(time.pending).toBe(0);
  });

  it('gives up with the last error: after so many attempts, after so long, or at once when it is no use', async () => {
    const failing = async (count: number) => {
      throw new Error(`failure ${count}`);
    };
    const attempted = async (options: object) => {
      const time = clock();
      const outcome = retry({ clock: time, backoff: backoff(), ...options }, failing).catch(
        (error) => error.message,
      );
      await time.advance(60_000);
      return outcome;
    };
    expect(await attempted({ attempts: 3 })).toBe('failure 3');
    expect(await attempted({ withinMs: 650 })).toBe('failure 3');
    expect(await attempted({ retryable: () => false })).toBe('failure 1');
  });

  it('stops pausing when it is told to, with the reason', async () => {
    const time = clock();
    const controller = new AbortController();
    const result = retry({ clock: time, backoff: backoff(), signal: controller.signal }, () =>
      Promise.reject(new Error('down')),
    );
    const failed = expect(result).rejects.toThrow('enough');
    await time.advance(50);
    controller.abort(new Error('enough'));
    await failed;
    expect(time.pending).toBe(0);
  });
});
