import { describe, expect, it } from 'vitest';
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { RequestedItem } from '../operations/index.ts';
import { newerLabel } from '../testing/newer-label.ts';
import { simBackend } from '../testing/sim-disk.ts';
import { settle } from '../testing/storage-settle.ts';
import { flaws, placesOf } from '../testing/storage-truths.ts';
import { hourMs, StorageWorld } from '../testing/storage-world.ts';

const [a, b] = ['0190f5fb-0000-7000-8000-000000000001', '0190f5fb-0000-7000-8000-000000000002'];
const items = (sku = 'small'): readonly RequestedItem[] => [
  { sku, quantity: 1, serviceName: 'db', customDomain: '' },
];
const live = (lease: string): VolumeName => canonicalVolume({ lease, service: 'db', index: 0 });
const precious = 'precious';

async function running(world: StorageWorld): Promise<void> {
  await world.provision(a, 't', items());
  await world.idle();
  world.disk.write(live(a), precious);
}

async function closed(world: StorageWorld, lease = a): Promise<void> {
  await world.close(lease);
  await world.idle();
  await world.clock.advance(1000);
}

const statusOf = ({ book }: StorageWorld, lease = a) => book.get(lease)?.status;

describe('what is written on a volume', () => {
  it('names the lease that has it since a restore, also when the process dies before that is written', async () => {
    for (const step of ['before', 'done'] as const) {
      await using world = new StorageWorld();
      await running(world);
      await closed(world);
      world.faults.observer = (seen) => {
        if (seen !== `label ${live(b)} ${step}`) return;
        world.faults.observer = () => undefined;
        world.faults.kill();
      };
      await world.ended(world.restore(a, b, 't', items('large')).catch(() => undefined));
      await world.idle();
      expect(world.faults.dead, step).toBe(true);
      await world.restart(false);
      await world.idle();
      expect(await world.volumes.ownerOf(live(b))).toMatchObject({ lease: b, sku: 'large', sizeMb: 300 });
      expect([world.store.kept(a), flaws(world)]).toEqual([undefined, []]);
    }
  });

  it('by a newer version keeps no tenant from its own data: it runs, is kept, restored, and ends in its time', async () => {
    await using world = new StorageWorld({ retentionMaxAgeMs: 24 * hourMs });
    await running(world);
    const label = newerLabel({ backend: simBackend, lease: a, tenant: 't', sizeMb: 100 });
    await world.disk.setLabel(live(a), label);
    await world.restart(false);
    await world.dropContainers(a);
    await world.idle();
    await expect(world.provision(a, 'stranger', items())).rejects.toMatchObject({ code: 'validation' });
    await world.provision(a, 't', items());
    await world.idle();
    expect([statusOf(world), placesOf(world, precious)]).toEqual(['ready', [live(a)]]);
    await closed(world);
    expect(placesOf(world, precious)).toEqual([retainedForm(live(a))]);
    await world.restore(a, b, 't', items());
    await world.idle();
    expect([statusOf(world, b), placesOf(world, precious)]).toEqual(['ready', [live(b)]]);
    expect(world.disk.volume(live(b))?.label, 'nobody has understood it all').toBe(label);
    await closed(world, b);
    expect([placesOf(world, precious), flaws(world)]).toEqual([[retainedForm(live(b))], []]);
    await world.clock.advance(25 * hourMs);
    await world.retention.passes.reapExpired();
    expect([world.disk.names, flaws(world)]).toEqual([[], []]);
  });

  it('and does not say whose it is is given to nobody until it says so again, and destroyed for nobody', async () => {
    await using world = new StorageWorld();
    await running(world);
    const { label = '' } = world.disk.volume(live(a)) ?? {};
    await world.disk.setLabel(live(a), '{"v":2}');
    await world.dropContainers(a);
    await world.idle();
    await world.provision(a, 't', items());
    await world.idle();
    expect(statusOf(world)).toBe('failed');
    await world.disk.setLabel(live(a), label);
    await world.provision(a, 't', items());
    await world.idle();
    expect([statusOf(world), placesOf(world, precious)]).toEqual(['ready', [live(a)]]);
    await world.disk.setLabel(live(a), '{"v":2}');
    await expect(world.close(a)).rejects.toThrow();
    await settle(world);
    expect([world.store.kept(a)?.status, placesOf(world, precious)]).toEqual(['reaping', [live(a)]]);
  });
});
