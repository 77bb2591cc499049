/** What limits of kept data do to the leases of a tenant, close by close. */
import { describe, expect, it } from 'vitest';
import { leaseId } from '../testing/leases.ts';
import { closed, item, kept, live, running } from '../testing/storage-leases.ts';
import { settle } from '../testing/storage-settle.ts';
import { placesOf } from '../testing/storage-truths.ts';
import { StorageWorld } from '../testing/storage-world.ts';
import type { Budget } from './budgets.ts';
import { keptQuotas } from './quotas.ts';

const [a, b, c, d] = [leaseId(1), leaseId(2), leaseId(3), leaseId(4)];

const budget: Budget = {
  maxLeases: 4,
  maxDiskMb: 0,
  maxPartitions: 2,
  perPartitionMaxLeases: 1,
  perPartitionMaxDiskMb: 0,
};

const worldWith = (more: Partial<Budget> = {}): StorageWorld =>
  new StorageWorld({
    retentionTenantBudgets: new Map([['t', { ...budget, ...more }]]),
    retentionPartitionSource: 'manifest.env:PART',
  });

/** It ran with that partition in its manifest, and was closed; where it is counted now. */
async function closedIn(world: StorageWorld, lease: string, partition: string, tenant = 't') {
  world.env = partition === '' ? {} : { PART: partition };
  await closed(world, lease, [item()], tenant);
  return world.store.kept(lease)?.record?.partition;
}

describe('a tenant with a budget in partitions', () => {
  it('has each roll by itself, and what is one partition too many counts with no partition', async () => {
    await using world = worldWith();
    expect(await closedIn(world, a, 'one')).toBe('one');
    expect(await closedIn(world, b, 'one')).toBe('one');
    await settle(world, 1);
    expect(world.store.page('', 0).keys, 'the older one of the partition made room').toEqual([b]);
    expect(await closedIn(world, c, 'two')).toBe('two');
    expect(await closedIn(world, d, 'three')).toBeUndefined();
    await settle(world, 1);
    expect(world.store.page('', 0).keys).toEqual([b, c, d]);
    const { metrics } = world;
    expect([metrics.of('stamped'), metrics.of('evicted partition'), metrics.of('evicted tenant')]).toEqual([
      3, 1, 0,
    ]);
    expect(metrics.of('collapsed over_limit')).toBe(1);
  });

  it('is refused where the disk of a partition ends, and nowhere else', async () => {
    await using world = worldWith({ perPartitionMaxLeases: 4, perPartitionMaxDiskMb: 150 });
    for (const [lease, partition] of [
      [a, 'one'],
      [b, 'one'],
      [c, 'two'],
    ] as const)
      await closedIn(world, lease, partition);
    expect(world.store.page('', 0).keys).toEqual([a, c]);
    expect([world.metrics.of('refused partition'), placesOf(world, `data of ${b}`)]).toEqual([1, []]);
  });

  it('has the limits of the tenant alone when no partition is named, and nobody else has any', async () => {
    await using world = worldWith({ maxLeases: 2 });
    for (const lease of [a, b, c]) expect(await closedIn(world, lease, '')).toBeUndefined();
    expect(await closedIn(world, d, 'one', 'another')).toBeUndefined();
    await settle(world, 1);
    expect(world.store.page('', 0).keys).toEqual([b, c, d]);
    expect([world.metrics.of('stamped'), world.metrics.of('evicted tenant')]).toEqual([0, 1]);
  });
});

describe('a close that has its record already', () => {
  it('is not refused by a limit that has come since', async () => {
    await using world = new StorageWorld();
    await running(world, a, [item('db', 'small', 2)]);
    world.faults.observer = (step) => {
      if (step !== `rename ${live(a)} done`) return;
      world.faults.observer = () => undefined;
      world.faults.kill();
    };
    await world.ended(world.close(a).catch(() => undefined));
    expect(world.disk.names, 'half of it is kept').toEqual([live(a, 'db', 1), kept(a)]);
    world.config = { ...world.config, maxRetainedDiskMb: 150 };
    await world.restart(false);
    await settle(world, 1);
    expect(world.disk.names).toEqual([kept(a), kept(a, 'db', 1)]);
    expect(world.metrics.of('refused global')).toBe(0);
  });
});

describe('the quotas of kept data', () => {
  it('are set again at a start where nobody moves it: not while it is restored, nor when it is to be destroyed', async () => {
    await using world = new StorageWorld();
    for (const lease of [a, b, c]) await closed(world, lease, [item('db', 'small', 2), item('web', 'none')]);
    world.store.claimForRestore(b, d, 0, 0);
    world.store.markReapingIfActive(c, 0);
    expect([...keptQuotas(world.store)]).toEqual([
      { name: kept(a), sizeMb: 100 },
      { name: kept(a, 'db', 1), sizeMb: 100 },
    ]);
  });
});
