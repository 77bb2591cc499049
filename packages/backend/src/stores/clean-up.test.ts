import { Scope, VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import { keepCleaningUp } from './clean-up.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 0, 1);

/** Stores with one entry each, which has the age that is too old by the half hour; the hours after which each of them went. */
async function hoursUntilGone(
  config: { diagnosticsMaxAgeMs: number; releasesMaxAgeMs: number },
  hours: number,
) {
  const clock = new VirtualClock(startMs);
  const scope = new Scope('clean-up', () => undefined);
  const gone = new Map<string, number>();
  const failures: string[] = [];
  let expired = 0;
  const hour = (): number => (clock.now() - startMs) / hourMs;
  const store = (name: string, ageMs: number) => (olderThanMs: number) => {
    const madeMs = startMs - ageMs + hourMs / 2;
    if (madeMs >= olderThanMs || gone.has(name)) return 0;
    gone.set(name, hour());
    return 1;
  };
  keepCleaningUp(scope, {
    clock,
    config,
    callbacks: {
      expire: () => {
        expired++;
        throw new Error('disk full');
      },
    },
    diagnostics: { deleteOlderThan: store('diagnostics', config.diagnosticsMaxAgeMs) },
    releases: { prune: store('releases', config.releasesMaxAgeMs) },
    onFailed: (component, error) => failures.push(`${component}: ${String(error)}`),
  });
  for (let passed = 0; passed < hours; passed++) await clock.advance(hourMs);
  await scope.close();
  return { gone, expired, failures };
}

it('cleans up every store, and says which of them could not be', async () => {
  const { gone, failures } = await hoursUntilGone({ diagnosticsMaxAgeMs: dayMs, releasesMaxAgeMs: dayMs }, 1);
  expect([...gone.keys()]).toEqual(['diagnostics', 'releases']);
  expect(failures).toEqual(['callback: Error: disk full', 'callback: Error: disk full']);
});

it.each([
  ['shorter than an hour', hourMs / 4, hourMs / 4],
  ['of 90 days', 90 * dayMs, 90 * dayMs],
  ['that differ', 7 * dayMs, 90 * dayMs],
])('cleans up at once and then every hour, with ages %s', async (_, diagnosticsMaxAgeMs, releasesMaxAgeMs) => {
  const { gone, expired } = await hoursUntilGone({ diagnosticsMaxAgeMs, releasesMaxAgeMs }, 5);
  // Half an hour too young at the first look, gone at the second: not one age later.
  expect([...gone]).toEqual([
    ['diagnostics', 1],
    ['releases', 1],
  ]);
  expect(expired).toBe(6);
});

it('leaves alone what never is too old', async () => {
  const { gone } = await hoursUntilGone({ diagnosticsMaxAgeMs: 0, releasesMaxAgeMs: 0 }, 2);
  expect([...gone]).toEqual([]);
});
