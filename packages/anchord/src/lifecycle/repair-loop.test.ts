import { VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { RepairLoop } from './repair-loop.ts';
import { StormGuard } from './storm-guard.ts';

it('a burst of what is asked for leads to one look, a moment after its beginning', async () => {
  const clock = new VirtualClock();
  const looks: string[] = [];
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
      return [];
    },
    caseOf: () => ({ key: '', container: '', trouble: '', patienceMs: 0 }),
    perform: async () => undefined,
    onPlanFailed: () => undefined,
  });
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
