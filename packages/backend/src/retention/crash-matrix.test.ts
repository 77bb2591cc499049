/**
 * Every step of the storage life that leaves a trace, and at every one of them the process dies, the power fails, the disk is
 * full or errs. Afterwards nothing that was promised is lost, nothing is leaked, and the books are right.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { VolumeName } from '../names/index.ts';
import type { FaultMode } from '../testing/faults.ts';
import { leaseId } from '../testing/leases.ts';
import { close, item, live } from '../testing/storage-leases.ts';
import { settle } from '../testing/storage-settle.ts';
import { flaws, isAnsweredFor, placesOf, undercounted } from '../testing/storage-truths.ts';
import { hourMs, StorageWorld } from '../testing/storage-world.ts';
import type { RetentionConfig } from './retention.ts';

const [a, b, c] = [leaseId(1), leaseId(2), leaseId(3)];
const stack = [item('db', 'small', 2), item('web', 'none')];

interface Scenario {
  readonly name: string;
  readonly config?: Partial<RetentionConfig>;
  readonly setUp?: (world: StorageWorld) => Promise<void>;
  readonly act: (world: StorageWorld) => Promise<unknown>;
  /** Content that somebody has to answer for afterwards. */
  readonly survives?: readonly string[];
  /** Content that has to be gone afterwards. */
  readonly goes?: readonly string[];
}

async function living(world: StorageWorld, lease: string, items = stack): Promise<void> {
  await world.provision(lease, 'tenant', items);
  await world.idle();
  for (const { serviceName: service, quantity, sku } of items)
    if (sku !== 'none')
      for (let index = 0; index < quantity; index++)
        world.disk.write(live(lease, service, index), `${lease}/${service}/${index}`);
}

async function closed(world: StorageWorld, lease: string, items = stack): Promise<void> {
  await living(world, lease, items);
  await close(world, lease);
}

const contentOf = (lease: string): readonly string[] => [`${lease}/db/0`, `${lease}/db/1`];

const scenarios: readonly Scenario[] = [
  { name: 'create', act: (world) => world.provision(a, 'tenant', stack) },
  {
    name: 'destroy',
    config: { retainOnClose: false },
    setUp: (world) => living(world, a),
    act: (world) => world.close(a),
    goes: contentOf(a),
  },
  {
    name: 'retain',
    setUp: (world) => living(world, a),
    act: (world) => world.close(a),
    survives: contentOf(a),
  },
  {
    name: 'retain and evict',
    config: { maxRetainedLeasesPerTenant: 1 },
    setUp: async (world) => {
      await closed(world, b);
      await living(world, a);
    },
    act: (world) => world.close(a),
    survives: contentOf(a),
    goes: contentOf(b),
  },
  {
    name: 'refuse',
    config: { maxRetainedDiskMb: 300 },
    setUp: async (world) => {
      await closed(world, b);
      await living(world, a);
    },
    act: (world) => world.close(a),
    survives: contentOf(b),
    goes: contentOf(a),
  },
  {
    name: 'restore',
    setUp: (world) => closed(world, a),
    act: (world) => world.restore(a, c, 'tenant', stack),
    survives: contentOf(a),
  },
  {
    name: 'restore onto a larger tier',
    setUp: (world) => closed(world, a),
    act: (world) => world.restore(a, c, 'tenant', [item('db', 'large', 2), item('web', 'none')]),
    survives: contentOf(a),
  },
  {
    name: 'restore that does not start',
    setUp: async (world) => {
      await closed(world, a);
      world.refuses.add(c);
    },
    act: (world) => world.restore(a, c, 'tenant', stack),
    survives: contentOf(a),
  },
  {
    name: 'restore, and close it at once',
    setUp: (world) => closed(world, a),
    act: async (world) => {
      await world.restore(a, c, 'tenant', stack);
      await world.close(c);
    },
    survives: contentOf(a),
  },
  {
    name: 'drop, and close',
    setUp: (world) => living(world, a),
    act: async (world) => {
      await world.dropContainers(a);
      await world.close(a);
    },
    survives: contentOf(a),
  },
  {
    name: 'start again',
    setUp: (world) => closed(world, a),
    act: (world) => world.provision(a, 'tenant', stack),
    survives: contentOf(a),
  },
  {
    name: 'start again in vain',
    setUp: async (world) => {
      await closed(world, a);
      world.refuses.add(a);
    },
    act: (world) => world.provision(a, 'tenant', stack),
    survives: contentOf(a),
  },
  {
    name: 'reap',
    setUp: async (world) => {
      await closed(world, a);
      await world.clock.advance(91 * 24 * hourMs);
    },
    act: (world) => world.retention.passes.reapExpired(),
    goes: contentOf(a),
  },
];

const modes: readonly FaultMode[] = ['kill', 'power', 'enospc', 'eio'];
const counted = new Map<string, number>();

/** Runs a scenario, with a fault at one step or without; what is wrong afterwards. */
async function run(scenario: Scenario, at?: number, mode?: FaultMode) {
  await using world = new StorageWorld(scenario.config);
  await scenario.setUp?.(world);
  const wrong: string[] = [];
  world.faults.reset();
  if (at !== undefined && mode !== undefined) world.faults.arm(at, mode);
  world.faults.observer = (step) => {
    const why = undercounted(world);
    if (why !== undefined) wrong.push(`at "${step}": ${why}`);
  };
  await world.ended(scenario.act(world).catch(() => undefined));
  await world.idle();
  const steps = [...world.faults.steps];
  const fired = world.faults.fired;
  if (world.faults.dead) await world.restart(mode === 'power');
  await settle(world);
  world.faults.observer = () => undefined;
  wrong.push(...flaws(world));
  for (const content of scenario.survives ?? []) {
    const places = placesOf(world, content);
    if (places.length !== 1) wrong.push(`"${content}" is in ${places.length} places`);
    else if (!isAnsweredFor(world, places[0] as VolumeName)) wrong.push(`nobody answers for ${places[0]}`);
  }
  // What was never accepted has not begun; and a look that failed gives nothing up.
  const begun = world.book.get(a)?.status !== 'ready' && world.metrics.of('cap check failed evict') === 0;
  for (const content of begun ? (scenario.goes ?? []) : [])
    if (placesOf(world, content).length > 0) wrong.push(`"${content}" is still there`);
  return { wrong, steps, fired };
}

describe('at every step of the storage life', () => {
  afterAll(() => {
    const all = [...counted.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `crash matrix: ${all} faults in ${counted.size} scenarios (${[...counted].map(([name, count]) => `${name} ${count}`).join(', ')})\n`,
    );
  });

  it.each(scenarios)('$name: nothing is lost, leaked or miscounted', async (scenario) => {
    const clean = await run(scenario);
    expect(clean.wrong, 'without a fault').toEqual([]);
    expect(clean.steps.length).toBeGreaterThan(3);
    const failures: string[] = [];
    let faults = 0;
    for (let at = 0; at < clean.steps.length; at++)
      for (const mode of modes) {
        const { wrong, steps, fired } = await run(scenario, at, mode);
        if (fired !== undefined) faults++;
        if (wrong.length > 0)
          failures.push(`${mode} at ${at} "${steps[at]}": ${[...new Set(wrong)].join('; ')}`);
      }
    counted.set(scenario.name, faults);
    expect(failures).toEqual([]);
    expect(faults).toBeGreaterThan(clean.steps.length);
  }, 240_000);
});
