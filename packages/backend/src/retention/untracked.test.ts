import { describe, expect, it } from 'vitest';
import type { VolumeName } from '../names/index.ts';
import { leaseId } from '../testing/leases.ts';
import { item, kept, live } from '../testing/storage-leases.ts';
import { flaws } from '../testing/storage-truths.ts';
import { StorageWorld } from '../testing/storage-world.ts';

const [a, b] = [leaseId(1), leaseId(2)];
const items = [item('db', 'small', 2), item('web', 'none')];
const content = (world: StorageWorld, name: VolumeName) => world.disk.volume(name)?.content;

/** Its containers were removed by somebody else, and it is not tracked any more. */
async function dropped(world: StorageWorld): Promise<void> {
  await world.provision(a, 't', items);
  await world.idle();
  world.disk.write(live(a), 'precious');
  world.disk.write(live(a, 'db', 1), 'too');
  await world.dropContainers(a);
  await world.idle();
  expect([world.book.get(a), world.pool.usage.allocations]).toEqual([undefined, 0]);
}

const forget = ({ releases }: StorageWorld, ...tables: readonly string[]): void => {
  for (const table of tables) releases.file.prepare(`DELETE FROM ${table}`).run();
};

/** All of it is kept, restorable, and counted; also after the next start. */
async function expectKept(world: StorageWorld): Promise<void> {
  await world.idle();
  await world.restart(true);
  await world.idle();
  expect(content(world, kept(a))).toBe('precious');
  expect(content(world, kept(a, 'db', 1))).toBe('too');
  expect(world.store.get(a)).toMatchObject({
    tenant: 't',
    provider_uuid: 'p',
    stack_manifest: { services: { db: {}, web: {} } },
    items: [
      { service_name: 'db', sku: 'small', quantity: 2, disk_mb: 100 },
      { service_name: 'web', sku: 'none', quantity: 1, disk_mb: 0 },
    ],
  });
  expect(flaws(world)).toEqual([]);
  expect(world.releases.list(a)).toEqual([]);
  await world.restore(a, b, 't', items);
  await world.idle();
  expect(content(world, live(b, 'db', 1))).toBe('too');
}

describe('a lease whose containers somebody else has removed', () => {
  it('keeps its data when it is closed, and its caller is told so', async () => {
    await using world = new StorageWorld();
    await dropped(world);
    await world.close(a);
    await world.idle();
    expect(world.told.at(-1)).toMatchObject({ lease: a, owed: { status: 'deprovisioned', retained: true } });
    await expectKept(world);
  });

  it('keeps its data when its last record is lost too: each volume says for whom it was made', async () => {
    await using world = new StorageWorld();
    await dropped(world);
    forget(world, 'dropped_leases');
    await world.close(a);
    await expectKept(world);
  });

  it.each([
    ['by its last record', ['db', 'web'], true],
    ['by what its volumes say', [], false],
  ] as const)('goes to no other tenant who asks for its id: %s it is known whose it is', async (_, silent, remembered) => {
    await using world = new StorageWorld();
    await dropped(world);
    for (const service of silent) for (const index of [0, 1]) world.disk.dropOwner(live(a, service, index));
    if (!remembered) forget(world, 'dropped_leases');
    const before = world.disk.names;
    await expect(world.provision(a, 'stranger', items)).rejects.toMatchObject({ code: 'validation' });
    await world.idle();
    expect([world.book.get(a), world.disk.names]).toEqual([undefined, before]);
    await world.provision(a, 't', items);
    await world.idle();
    expect(world.book.get(a)?.status).toBe('ready');
    expect([content(world, live(a)), content(world, live(a, 'db', 1))]).toEqual(['precious', 'too']);
    expect(flaws(world)).toEqual([]);
  });

  it('has an id that no restore goes into', async () => {
    await using world = new StorageWorld();
    await world.provision(b, 't', items);
    await world.idle();
    await world.close(b);
    await dropped(world);
    await expect(world.restore(b, a, 't', items)).rejects.toMatchObject({ code: 'already_provisioned' });
    expect([content(world, live(a)), content(world, live(a, 'db', 1))]).toEqual(['precious', 'too']);
    expect(world.store.kept(b)?.status).toBe('active');
  });

  it('keeps what cannot be proven to be its own, with the history that protects it', async () => {
    await using world = new StorageWorld();
    await dropped(world);
    forget(world, 'dropped_leases');
    world.disk.dropOwner(live(a, 'db', 1));
    await world.close(a);
    await world.restart(true);
    await world.idle();
    expect([content(world, live(a)), content(world, live(a, 'db', 1))]).toEqual(['precious', 'too']);
    expect(world.store.kept(a)).toBeUndefined();
    expect(world.releases.latestActive(a)).toBeDefined();
  });

  it('keeps its data when nobody closes it, also without a history', async () => {
    await using world = new StorageWorld();
    await dropped(world);
    forget(world, 'releases');
    // Nor does its volume say whose it is.
    world.disk.dropOwner(live(a));
    await world.restart(true);
    await world.idle();
    expect([content(world, live(a)), content(world, live(a, 'db', 1))]).toEqual(['precious', 'too']);
    await world.close(a);
    expect(content(world, kept(a))).toBe('precious');
  });

  it('is destroyed at its close where nothing is kept, and nothing is remembered of it', async () => {
    await using world = new StorageWorld({ retainOnClose: false });
    await dropped(world);
    await world.close(a);
    await world.idle();
    expect([world.disk.names, world.releases.leases.dropped(a), world.releases.list(a)]).toEqual([
      [],
      undefined,
      [],
    ]);
    expect(flaws(world)).toEqual([]);
  });

  it('is tried again when its volumes cannot be listed, and remembered until then', async () => {
    await using world = new StorageWorld();
    await dropped(world);
    world.disk.unmounted = true;
    await expect(world.close(a)).rejects.toThrow('the root is gone');
    world.disk.unmounted = false;
    await world.close(a);
    await expectKept(world);
  });

  it.each(['kill', 'power'] as const)('loses nothing when its close ends by %s at any step', async (mode) => {
    for (let step = 0; ; step++) {
      await using world = new StorageWorld();
      await dropped(world);
      world.faults.reset();
      world.faults.arm(step, mode);
      await world.ended(world.close(a).catch(() => undefined));
      await world.idle();
      const { fired } = world.faults;
      if (world.faults.dead) await world.restart(mode === 'power');
      world.faults.disarm();
      await world.idle();
      await world.close(a);
      await expectKept(world);
      if (fired === undefined) {
        expect(step).toBeGreaterThan(8);
        return;
      }
    }
  });
});
