import { describe, expect, it } from 'vitest';
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { RequestedItem } from '../operations/index.ts';
import { flaws } from '../testing/storage-truths.ts';
import { StorageWorld } from '../testing/storage-world.ts';

const [a, b] = ['0190f5fb-0000-7000-8000-000000000001', '0190f5fb-0000-7000-8000-000000000002'];
const items: readonly RequestedItem[] = [{ sku: 'small', quantity: 2, serviceName: 'db', customDomain: '' }];
const volume = (index: number): VolumeName => canonicalVolume({ lease: a, service: 'db', index });
const contents = (world: StorageWorld) =>
  [volume(0), volume(1)].map((name) => world.disk.volume(name)?.content);

async function running(world: StorageWorld): Promise<void> {
  await world.provision(a, 't', items);
  await world.idle();
  world.disk.write(volume(0), 'one');
  world.disk.write(volume(1), 'two');
}

/** Its close has got as far as the first of two volumes. */
async function halfClosed(world: StorageWorld): Promise<void> {
  await running(world);
  const { rename } = world.disk;
  world.disk.rename = async (from, to) => {
    if (from === volume(1)) throw new Error('EIO');
    await rename.call(world.disk, from, to);
  };
  await expect(world.close(a)).rejects.toThrow('EIO');
  world.disk.rename = rename;
  expect(world.disk.names).toEqual([volume(1), retainedForm(volume(0))]);
}

const again = async (world: StorageWorld, tenant = 't', wanted = items): Promise<string | undefined> => {
  await world.provision(a, tenant, wanted);
  await world.idle();
  return world.book.get(a)?.status;
};

describe('a lease that is started again after its close', () => {
  it('has all its data back after a close that stopped half way, and can be closed again', async () => {
    await using world = new StorageWorld();
    await halfClosed(world);
    expect(await again(world)).toBe('ready');
    expect([contents(world), world.store.kept(a)]).toEqual([['one', 'two'], undefined]);
    expect(flaws(world)).toEqual([]);
    await world.close(a);
    await world.idle();
    expect(world.disk.names).toEqual([retainedForm(volume(0)), retainedForm(volume(1))]);
    expect(flaws(world)).toEqual([]);
  });

  it('has its data back after a whole close', async () => {
    await using world = new StorageWorld();
    await running(world);
    await world.close(a);
    expect(await again(world)).toBe('ready');
    expect([contents(world), world.store.kept(a)]).toEqual([['one', 'two'], undefined]);
    expect(flaws(world)).toEqual([]);
  });

  it('fails, and everything stays kept, when the data is of another tenant, has no place in it, or is being restored', async () => {
    await using world = new StorageWorld();
    await running(world);
    await world.close(a);
    expect(await again(world, 'stranger')).toBe('failed');
    expect(await again(world, 't', [{ ...items[0]!, quantity: 1 }])).toBe('failed');
    const kept = [retainedForm(volume(0)), retainedForm(volume(1))];
    expect(world.disk.names).toEqual(kept);
    world.store.claimForRestore(a, b, 0, world.clock.now());
    expect(await again(world)).toBe('failed');
    expect(world.disk.names).toEqual(kept);
  });

  it('is not closed after all when it is dropped later: what an earlier close was to do does not count', async () => {
    await using world = new StorageWorld({ retainOnClose: false });
    await running(world);
    const { destroy } = world.disk;
    world.disk.destroy = async () => {
      throw new Error('EIO');
    };
    await expect(world.close(a)).rejects.toThrow('EIO');
    world.disk.destroy = destroy;
    expect(await again(world)).toBe('ready');
    await world.dropContainers(a);
    await world.restart(true);
    await world.idle();
    expect(contents(world)).toEqual(['one', 'two']);
  });

  it.each(['kill', 'power'] as const)('loses nothing when it ends by %s at any step', async (mode) => {
    for (let step = 0; ; step++) {
      await using world = new StorageWorld();
      await halfClosed(world);
      world.faults.reset();
      world.faults.arm(step, mode);
      await world.ended(world.provision(a, 't', items).catch(() => undefined));
      await world.idle();
      const { fired } = world.faults;
      if (world.faults.dead) await world.restart(mode === 'power');
      world.faults.disarm();
      await world.idle();
      const status = world.book.get(a)?.status;
      if (status !== 'ready') expect(await again(world), `step ${step}, after ${status}`).toBe('ready');
      expect(contents(world), `step ${step}`).toEqual(['one', 'two']);
      expect(flaws(world), `step ${step}`).toEqual([]);
      if (fired === undefined) {
        expect(step).toBeGreaterThan(6);
        return;
      }
    }
  });
});
