/** The judges of the storage tests, judged: each of them sees the thing that it is there to see. */
import { describe, expect, it } from 'vitest';
import { volumeName } from '../names/index.ts';
import { leaseId } from './leases.ts';
import { item, kept as keptOf, live as liveOf } from './storage-leases.ts';
import { StorageModel } from './storage-model.ts';
import { flaws, undercounted } from './storage-truths.ts';
import { StorageWorld } from './storage-world.ts';

const a = leaseId(1);
const items = [item()];
const live = liveOf(a);
const kept = keptOf(a);

async function running(): Promise<StorageWorld> {
  const world = new StorageWorld();
  await world.provision(a, 't', items);
  await world.idle();
  expect([flaws(world), undercounted(world)]).toEqual([[], undefined]);
  return world;
}

async function closed(): Promise<StorageWorld> {
  const world = await running();
  await world.close(a);
  await world.idle();
  expect([flaws(world), undercounted(world)]).toEqual([[], undefined]);
  return world;
}

describe('what has to be true of storage', () => {
  it('is not when kept data is not counted', async () => {
    await using world = await closed();
    world.pool.retainedDiskMb = 0;
    expect(undercounted(world)).toBe('100 MiB may be on disk, only 0 are counted');
    expect(flaws(world)).toEqual(['100 MiB are on disk, 0 are counted']);
  });

  it('is not when a lease gave back its room and not its disk', async () => {
    await using world = await running();
    world.pool.release(a);
    expect(undercounted(world)).toMatch(/^100 MiB may be/);
  });

  it('is not when nobody counts a lease whose containers were removed', async () => {
    await using world = await running();
    await world.dropContainers(a);
    expect([flaws(world), undercounted(world)]).toEqual([[], undefined]);
    world.pool.strandedDiskMb = new Map();
    expect(undercounted(world)).toMatch(/^100 MiB may be/);
  });

  it('is not when a volume has no owner, or a record no volume', async () => {
    await using world = await closed();
    const stray = volumeName(`fred-${leaseId(15)}-db-0`);
    await world.disk.create(stray, 5);
    expect(flaws(world)).toContain(`volume ${stray} is leaked`);
    world.disk.vanish(stray);
    world.disk.vanish(kept);
    expect(flaws(world)).toContain(`kept volume ${kept} of ${a} is gone`);
  });

  it('is not when something is left half done', async () => {
    await using world = await closed();
    world.store.claimForRestore(a, leaseId(2), 0, 0);
    expect(flaws(world)).toContain(`record ${a} is left restoring`);
  });

  it('is not when data is lost, changed, or seen again', async () => {
    await using world = await running();
    const model = new StorageModel();
    model.provisioned(a, 't', items);
    world.disk.write(live, 'one');
    model.wrote(a, 'db/0', 'one');
    expect(model.differences(world)).toEqual([]);
    world.disk.write(live, 'another');
    expect(model.differences(world)).toEqual([`${live} has "another", not "one"`]);
    world.disk.write(live, 'one');
    model.gone.push('one');
    expect(model.differences(world)).toEqual(['"one" is seen again']);
    model.lost(a);
    expect(model.differences(world)).toEqual([`there is a lease ${a}`]);
  });
});
