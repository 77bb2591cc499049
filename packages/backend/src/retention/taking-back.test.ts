import { describe, expect, it, vi } from 'vitest';
import { leaseId } from '../testing/leases.ts';
import { item, kept, live } from '../testing/storage-leases.ts';
import { flaws } from '../testing/storage-truths.ts';
import { StorageWorld } from '../testing/storage-world.ts';

const [a, b] = [leaseId(1), leaseId(2)];
const items = [item('db', 'small', 2)];
const volume = (index: number) => live(a, 'db', index);
const keptVolume = (index: number) => kept(a, 'db', index);
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
  expect(world.disk.names).toEqual([volume(1), keptVolume(0)]);
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
    expect(world.disk.names).toEqual([keptVolume(0), keptVolume(1)]);
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
    expect(await again(world, 't', [item()])).toBe('failed');
    const both = [keptVolume(0), keptVolume(1)];
    expect(world.disk.names).toEqual(both);
    world.store.claimForRestore(a, b, 0, world.clock.now());
    expect(await again(world)).toBe('failed');
    expect(world.disk.names).toEqual(both);
  });

  it('is not closed after all when it is dropped later: what an earlier close was to do does not count', async () => {
    await using world = new StorageWorld({ retainOnClose: false });
    await running(world);
    const broken = vi.spyOn(world.disk, 'destroy').mockRejectedValue(new Error('EIO'));
    await expect(world.close(a)).rejects.toThrow('EIO');
    broken.mockRestore();
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
