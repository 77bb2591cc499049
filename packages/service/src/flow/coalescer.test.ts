import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scope } from '../scope.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { Coalescer } from './index.ts';

function coalescer({ quietMs = 10, atMostMs = 50, takesMs = 5 } = {}) {
  const clock = new VirtualClock();
  const failures: unknown[] = [];
  const scope = new Scope('test', (error) => failures.push(error));
  const runs: { readonly from: number; to: number }[] = [];
  let outcome: () => Promise<void> = async () => undefined;
  const runner = new Coalescer(scope, {
    name: 'reconcile',
    clock,
    quietMs,
    atMostMs,
    run: async () => {
      const run = { from: clock.monotonic(), to: Number.POSITIVE_INFINITY };
      runs.push(run);
      await new Promise<void>((resolve) => clock.after(takesMs, resolve));
      run.to = clock.monotonic();
      await outcome();
    },
  });
  const fail = () => {
    outcome = () => Promise.reject(new Error('boom'));
  };
  return { clock, scope, runner, runs, failures, fail };
}

describe('Coalescer', () => {
  it('makes one run of a burst, once it is quiet', async () => {
    const { clock, runner, runs } = coalescer();
    runner.ask();
    await clock.advance(6);
    runner.ask();
    await clock.advance(6);
    runner.ask();
    await clock.advance(100);
    expect(runs).toEqual([{ from: 22, to: 27 }]);
  });

  it('does not wait for ever for the quiet', async () => {
    const { clock, runner, runs } = coalescer();
    for (let ms = 0; ms < 60; ms += 5) {
      runner.ask();
      await clock.advance(5);
    }
    expect(runs[0]?.from).toBe(50);
  });

  it('runs again for those who ask while it runs, and never twice at once', async () => {
    const { clock, runner, runs } = coalescer({ quietMs: 0 });
    runner.ask();
    runner.ask();
    await clock.advance(2);
    runner.ask();
    runner.ask();
    await clock.advance(100);
    expect(runs).toEqual([
      { from: 0, to: 5 },
      { from: 5, to: 10 },
    ]);
  });

  it('starts at once without a quiet time, but not inside the call', async () => {
    const { clock, runner, runs } = coalescer({ quietMs: 0 });
    runner.ask();
    expect(runs).toEqual([]);
    await clock.advance(0);
    expect(runs).toHaveLength(1);
  });

  it('tells its scope of a run that fails, and runs for the next one who asks', async () => {
    const { clock, runner, runs, failures, fail } = coalescer();
    fail();
    runner.ask();
    await clock.advance(20);
    runner.ask();
    await clock.advance(20);
    expect(runs).toHaveLength(2);
    expect(failures).toEqual([new Error('boom'), new Error('boom')]);
  });

  it('says when everything that was asked for is done', async () => {
    const { clock, runner, runs } = coalescer();
    await runner.settled();
    runner.ask();
    let settled = 0;
    void runner.settled().then(() => {
      settled = clock.monotonic();
    });
    await clock.advance(12);
    runner.ask();
    await clock.advance(100);
    expect(settled).toBe(runs.at(-1)?.to);
    expect(runs).toHaveLength(2);
  });

  it('runs nothing after the end of its scope, and leaves no timer and nobody waiting', async () => {
    const { clock, scope, runner, runs } = coalescer();
    runner.ask();
    const settled = runner.settled();
    await scope.close();
    await settled;
    runner.ask();
    await clock.advance(100);
    expect(runs).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('keeps its promises under any sequence of requests', async () => {
    const settings = fc.record({
      quietMs: fc.nat(20),
      atMostMs: fc.integer({ min: 20, max: 60 }),
      takesMs: fc.nat(30),
    });
    await fc.assert(
      fc.asyncProperty(settings, fc.array(fc.nat(40), { maxLength: 25 }), async (options, pauses) => {
        const { clock, runner, runs } = coalescer(options);
        const asked: number[] = [];
        for (const pauseMs of pauses) {
          asked.push(clock.monotonic());
          runner.ask();
          await clock.advance(pauseMs);
        }
        await clock.advance(1_000);
        for (const moment of asked) {
          const served = runs.find(({ from }) => from >= moment);
          expect(served?.from).toBeLessThanOrEqual(moment + options.takesMs + options.atMostMs);
        }
        for (const [index, { from }] of runs.entries())
          expect(from).toBeGreaterThanOrEqual(runs[index - 1]?.to ?? 0);
        expect(runs.length).toBeLessThanOrEqual(asked.length);
        expect(clock.pending).toBe(0);
      }),
    );
  });
});
