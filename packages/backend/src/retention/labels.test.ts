import { describe, expect, it } from 'vitest';
import { leaseId } from '../testing/leases.ts';
import { newerLabel } from '../testing/newer-label.ts';
import { simBackend } from '../testing/sim-disk.ts';
import { close, closed, item, kept, live, running } from '../testing/storage-leases.ts';
import { settle } from '../testing/storage-settle.ts';
import { flaws, placesOf } from '../testing/storage-truths.ts';
import { hourMs, StorageWorld } from '../testing/storage-world.ts';

const [a, b] = [leaseId(1), leaseId(2)];
const precious = `data of ${a}`;
const statusOf = ({ book }: StorageWorld, lease = a) => book.get(lease)?.status;

describe('what is written on a volume', () => {
  it('names the lease that has it since a restore, also when the process dies before that is written', async () => {
    for (const step of ['before', 'done'] as const) {
      await using world = new StorageWorld();
      await closed(world, a);
      world.faults.observer = (seen) => {
        if (seen !== `label ${live(b)} ${step}`) return;
        world.faults.observer = () => undefined;
        world.faults.kill();
      };
      await world.ended(world.restore(a, b, 't', [item('db', 'large')]).catch(() => undefined));
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
    await running(world, a);
    const label = newerLabel({ backend: simBackend, lease: a, tenant: 't', sizeMb: 100 });
    await world.disk.setLabel(live(a), label);
    await world.restart(false);
    await world.dropContainers(a);
    await world.idle();
    await expect(world.provision(a, 'stranger', [item()])).rejects.toMatchObject({ code: 'validation' });
    await world.provision(a, 't', [item()]);
    await world.idle();
    expect([statusOf(world), placesOf(world, precious)]).toEqual(['ready', [live(a)]]);
    await close(world, a);
    expect(placesOf(world, precious)).toEqual([kept(a)]);
    await world.restore(a, b, 't', [item()]);
    await world.idle();
    expect([statusOf(world, b), placesOf(world, precious)]).toEqual(['ready', [live(b)]]);
    expect(world.disk.volume(live(b))?.label, 'nobody has understood it all').toBe(label);
    await close(world, b);
    expect([placesOf(world, precious), flaws(world)]).toEqual([[kept(b)], []]);
    await world.clock.advance(25 * hourMs);
    await world.retention.passes.reapExpired();
    expect([world.disk.names, flaws(world)]).toEqual([[], []]);
  });

  it('and does not say whose it is is given to nobody until it says so again, and destroyed for nobody', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    const { label = '' } = world.disk.volume(live(a)) ?? {};
    await world.disk.setLabel(live(a), '{"v":2}');
    await world.dropContainers(a);
    await world.idle();
    await world.provision(a, 't', [item()]);
    await world.idle();
    expect(statusOf(world)).toBe('failed');
    await world.disk.setLabel(live(a), label);
    await world.provision(a, 't', [item()]);
    await world.idle();
    expect([statusOf(world), placesOf(world, precious)]).toEqual(['ready', [live(a)]]);
    await world.disk.setLabel(live(a), '{"v":2}');
    await expect(world.close(a)).rejects.toThrow();
    await settle(world);
    expect([world.store.kept(a)?.status, placesOf(world, precious)]).toEqual(['reaping', [live(a)]]);
  });
});
