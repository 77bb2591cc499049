import { VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { RepairLoop } from './repair-loop.ts';
import { StormGuard } from './storm-guard.ts';

/** One that notes when it looks and why; the first `failures` looks fail. */
function stage(clock: VirtualClock, failures = 0) {
  const looks: string[] = [];
  const failed: string[] = [];
  const loop = new RepairLoop<never, string>({
    ...testParts(),
    clock,
    storm: new StormGuard(() => clock.monotonic(), Math.random),
    random: () => 0.5,
    pollMs: 30_000,
    gatherMs: 100,
    pollSource: 'poll',
    plan: async (source) => {
      looks.push(`${source} at ${clock.monotonic()}`);
      if (looks.length <= failures) throw new Error('no answer');
      return [];
    },
    caseOf: () => ({ key: '', container: '', trouble: '', patienceMs: 0 }),
    perform: async () => undefined,
    onPlanFailed: (_, source) => void failed.push(source),
  });
  return { loop, looks, failed };
}

it('a burst of what is asked for leads to one look, a moment after its beginning', async () => {
  const clock = new VirtualClock();
  const { loop, looks } = stage(clock);
  const stop = new AbortController();
  loop.request('backfill');
  const running = loop.run(stop.signal);
  const begun = clock.monotonic();
  await clock.advance(1_000);
  for (let event = 0; event < 5; event++) {
    loop.request('event');
    await clock.advance(10);
  }
  await clock.advance(30_100);
  expect(looks).toEqual([`backfill at ${begun}`, `event at ${begun + 1_100}`, `poll at ${begun + 31_100}`]);
  stop.abort();
  await running;
});

it('a look that Docker does not answer is tried again two seconds later, for the same reason', async () => {
  const clock = new VirtualClock();
  const { loop, looks, failed } = stage(clock, 2);
  const stop = new AbortController();
  loop.request('event');
  const running = loop.run(stop.signal);
  const begun = clock.monotonic();
  await clock.advance(10_000);
  expect(looks).toEqual([0, 2_000, 4_000].map((ms) => `event at ${begun + ms}`));
  expect(failed).toEqual(['event', 'event']);
  stop.abort();
  await running;
});
