import { describe, expect, it, vi } from 'vitest';
import { leaseId } from '../testing/leases.ts';
import { closed, item, kept, live, running } from '../testing/storage-leases.ts';
import { settle } from '../testing/storage-settle.ts';
import { flaws, placesOf } from '../testing/storage-truths.ts';
import { hourMs, StorageWorld } from '../testing/storage-world.ts';
import { encodeOwner } from '../volumes/owner.ts';

const [a, b, c] = [leaseId(1), leaseId(2), leaseId(3)];

describe('a close', () => {
  it('keeps a mixed lease with all its items, and reclaims what held nothing of the tenant', async () => {
    await using world = new StorageWorld();
    await closed(world, a, [item('db', 'small', 2), item('web', 'none')]);
    expect(world.disk.names).toEqual([kept(a), kept(a, 'db', 1)]);
    expect(world.store.get(a)).toMatchObject({
      items: [
        { service_name: 'db', quantity: 2, disk_mb: 100 },
        { service_name: 'web', quantity: 1, disk_mb: 0 },
      ],
      stack_manifest: { services: { db: {}, web: {} } },
    });
    expect(world.metrics.of('scratch reclaimed')).toBe(1);
    expect(world.told.at(-1)?.owed).toMatchObject({ status: 'deprovisioned', retained: true });
    expect(world.metrics.gauges).toMatchObject({ retainedLeases: 1, retainedBytes: 200 * 2 ** 20 });
  });

  it('makes no record of a lease without data, and counts nothing for it', async () => {
    await using world = new StorageWorld();
    await world.provision(a, 't', [item('web', 'none')]);
    await world.idle();
    await world.close(a);
    expect([world.store.page('', 0).keys, world.disk.names]).toEqual([[], []]);
    expect(world.told.at(-1)?.owed.retained).toBeUndefined();
  });

  it('rolls within the count before a disk limit can refuse', async () => {
    await using world = new StorageWorld({ maxRetainedLeasesPerTenant: 1, maxRetainedDiskMb: 100 });
    await closed(world, a);
    await closed(world, b);
    await settle(world, 1);
    expect([world.store.kept(a), world.store.kept(b)?.status]).toEqual([undefined, 'active']);
    expect([world.metrics.of('evicted tenant'), world.metrics.of('refused global')]).toEqual([1, 0]);
    await closed(world, c, [item()], 'other');
    expect(world.metrics.of('refused global'), 'another tenant never pays').toBe(1);
    expect([world.store.kept(c), world.store.kept(b)?.status, placesOf(world, `data of ${c}`)]).toEqual([
      undefined,
      'active',
      [],
    ]);
  });

  it('that cannot bring its data where it belongs tries again, and is given up with what is left counted', async () => {
    await using world = new StorageWorld({ retainOnClose: false });
    await running(world, a);
    const broken = vi.spyOn(world.disk, 'destroy').mockRejectedValue(new Error('EIO'));
    await expect(world.close(a)).rejects.toThrow('EIO');
    expect(world.book.get(a)).toMatchObject({ status: 'failed', failure: { reason: 'CleanupFailed' } });
    expect(world.pool.usage.allocated.diskMb).toBe(100);
    await world.restart(false);
    expect(world.store.intent(a)?.volume_failures, 'also over a restart').toBe(2);
    await settle(world, 1);
    expect(world.book.get(a)).toBeUndefined();
    expect(world.store.get(a)).toMatchObject({ status: 'reaping', retained_volume_names: [] });
    expect(world.told.at(-1)?.owed).toMatchObject({ status: 'failed', error: 'volume cleanup exhausted' });
    expect(world.pool.usage).toMatchObject({ allocated: { diskMb: 0 }, available: { diskMb: 999_900 } });
    broken.mockRestore();
    await settle(world, 1);
    expect(flaws(world)).toEqual([]);
    expect(world.store.kept(a)).toBeUndefined();
  });

  it('is not given up before what is left is counted', async () => {
    await using world = new StorageWorld({ retainOnClose: false });
    await running(world, a);
    const broken = vi.spyOn(world.disk, 'destroy').mockRejectedValue(new Error('EIO'));
    const uncounted = vi.spyOn(world.store, 'totals').mockImplementation(() => {
      throw new Error('EIO');
    });
    await expect(world.close(a)).rejects.toThrow('EIO');
    await settle(world, 3);
    expect(world.store.intent(a)?.volume_failures).toBeGreaterThan(2);
    expect([world.book.get(a)?.status, world.pool.usage.allocated.diskMb]).toEqual(['failed', 100]);
    uncounted.mockRestore();
    await settle(world, 2);
    expect(world.book.get(a)).toBeUndefined();
    expect(world.pool.usage).toMatchObject({ allocated: { diskMb: 0 }, available: { diskMb: 999_900 } });
    broken.mockRestore();
    await settle(world, 1);
    expect(flaws(world)).toEqual([]);
  });

  it('waits while destruction is held, however long, and loses nothing by it', async () => {
    await using world = new StorageWorld();
    await running(world, a, [item(), item('web', 'none')]);
    world.door.hold('records have to be imported first');
    await expect(world.close(a)).rejects.toThrow('cannot be known whose');
    // Longer than the attempts that a close has otherwise.
    await settle(world, 5);
    expect([world.book.get(a)?.status, world.store.intent(a)?.volume_failures]).toEqual(['failed', 0]);
    expect(placesOf(world, `data of ${a}`)).toEqual([live(a)]);
    world.door.release('records have to be imported first');
    await settle(world, 1);
    expect([world.book.get(a), world.store.kept(a)?.status]).toEqual([undefined, 'active']);
    expect(placesOf(world, `data of ${a}`)).toEqual([kept(a)]);
    expect(flaws(world)).toEqual([]);
  });

  it('keeps its room until somebody else is counted for it', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    const broken = vi.spyOn(world.store, 'totals').mockImplementation(() => {
      throw new Error('EIO');
    });
    await expect(world.close(a)).rejects.toThrow('what is kept could not be counted');
    await world.idle();
    expect([world.disk.names, world.pool.usage.allocated.diskMb]).toEqual([[kept(a)], 100]);
    broken.mockRestore();
    await settle(world, 1);
    expect(world.pool.usage).toMatchObject({ allocated: { diskMb: 0 }, available: { diskMb: 999_900 } });
    expect(flaws(world)).toEqual([]);
  });

  it('says that it has kept its data, also when it died after the last of it was put away', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    world.faults.observer = (step) => {
      if (step !== `rename ${live(a)} done`) return;
      world.faults.observer = () => undefined;
      world.faults.kill();
    };
    await world.ended(world.close(a).catch(() => undefined));
    expect([world.faults.dead, world.disk.names]).toEqual([true, [kept(a)]]);
    await world.restart(false);
    await world.idle();
    expect(world.told.at(-1)).toMatchObject({ lease: a, owed: { status: 'deprovisioned', retained: true } });
  });

  it('is counted by the size that it had, whatever becomes of its SKU', async () => {
    await using world = new StorageWorld();
    await closed(world, a, [item('db', 'large')]);
    expect(world.metrics.gauges).toMatchObject({ retainedBytes: 300 * 2 ** 20 });
    world.config = { ...world.config, catalogue: { profiles: new Map(), mapping: new Map() } };
    await world.restart(true);
    expect(world.metrics.gauges).toMatchObject({ retainedBytes: 300 * 2 ** 20 });
    expect(world.pool.usage.available.diskMb).toBe(999_700);
  });

  it('of a lease that lives again keeps its data, whatever an earlier life has left', async () => {
    await using world = new StorageWorld();
    await world.disk.create(kept(a), 100);
    world.disk.write(kept(a), 'given up long ago');
    world.store.putReaping(
      {
        original_lease_uuid: a,
        tenant: 't',
        provider_uuid: 'p',
        items: [{ sku: 'small', quantity: 1, service_name: 'db', disk_mb: 100 }],
        callback_url: '',
        retained_volume_names: [],
        status: 'reaping',
        generation: 0,
        created_at: '2025-01-01T00:00:00Z',
      },
      0,
    );
    await closed(world, a);
    expect(world.store.get(a)?.status).toBe('active');
    expect(world.disk.volume(kept(a))?.content).toBe(`data of ${a}`);
    expect(flaws(world)).toEqual([]);
  });

  it('leaves what another backend has made under its name', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    const foreign = live(a, 'web');
    const made = { lease: a, tenant: 't', provider: 'p', service: 'web', index: 0 };
    const label = encodeOwner({ backend: 'another', ...made, sku: 'small', sizeMb: 100, createdAtMs: 0 });
    await world.disk.create(foreign, 100, label);
    await world.close(a);
    expect(world.disk.names).toEqual([foreign, kept(a)].sort());
    expect(world.store.get(a)?.retained_volume_names).toEqual([kept(a)]);
  });

  it('goes by what was decided when it began, not by what is configured now', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    world.faults.arm(6, 'kill');
    await world.ended(world.close(a).catch(() => undefined));
    expect(world.faults.dead).toBe(true);
    world.config = { ...world.config, retainOnClose: false };
    await world.restart(false);
    await settle(world, 1);
    expect([world.store.kept(a)?.status, world.disk.names]).toEqual(['active', [kept(a)]]);
  });
});

describe('a look through kept data', () => {
  it('drops a record whose volumes were removed behind our back, after several looks in a row', async () => {
    await using world = new StorageWorld({ retentionOrphanConfirmations: 3 });
    await closed(world, a);
    const sweep = () => world.retention.passes.sweep();
    world.disk.vanish(kept(a));
    await sweep();
    await sweep();
    world.disk.unmounted = true;
    await expect(sweep()).rejects.toThrow('the root is gone');
    world.disk.unmounted = false;
    expect(world.metrics.of('orphan skipped root_unverifiable')).toBe(1);
    await sweep();
    await sweep();
    expect(world.store.kept(a)?.status, 'every streak began anew').toBe('active');
    await sweep();
    expect(world.store.kept(a)).toBeUndefined();
    expect(world.metrics.of('orphan pruned')).toBe(1);
  });

  it('sees a volume under either name', async () => {
    await using world = new StorageWorld({ retentionOrphanConfirmations: 1 });
    await closed(world, a);
    await world.disk.rename(kept(a), live(a));
    const broken = vi.spyOn(world.disk, 'rename').mockRejectedValue(new Error('EIO'));
    await expect(world.retention.passes.sweep()).rejects.toThrow('requarantine');
    await world.sweepOrphans();
    expect([world.store.kept(a)?.status, world.disk.names]).toEqual(['active', [live(a)]]);
    broken.mockRestore();
    await world.retention.passes.sweep();
    expect(world.disk.names).toEqual([kept(a)]);
  });

  it('reaches every stage whatever becomes of the others, and counts once', async () => {
    await using world = new StorageWorld();
    await closed(world, a);
    await closed(world, b);
    world.store.markReapingIfActive(a, 0);
    const broken = vi.spyOn(world.disk, 'destroy').mockRejectedValue(new Error('EIO'));
    await world.retention.passes.sweep();
    expect([world.metrics.of('leaked'), world.metrics.of('swept success')]).toEqual([1, 1]);
    expect(world.metrics.gauges).toMatchObject({ reapingLeases: 1, retainedLeases: 1 });
    broken.mockRestore();
    await world.retention.passes.sweep();
    expect([world.store.kept(a), world.disk.names]).toEqual([undefined, [kept(b)]]);
  });

  it('drops no record whose volumes a fresh look does not show gone', async () => {
    await using world = new StorageWorld();
    await closed(world, a);
    world.store.markReapingIfActive(a, 0);
    const destroy = vi.spyOn(world.disk, 'destroy').mockResolvedValue();
    await world.retention.passes.sweep();
    expect([world.store.kept(a)?.status, world.disk.names]).toEqual(['reaping', [kept(a)]]);
    destroy.mockImplementation(async () => {
      world.disk.unmounted = true;
    });
    await expect(world.retention.passes.sweep()).rejects.toThrow('the root is gone');
    expect(world.store.kept(a)?.status).toBe('reaping');
    expect(world.metrics.of('reap skipped claim_unreadable')).toBe(2);
    destroy.mockRestore();
    world.disk.unmounted = false;
    await world.retention.passes.sweep();
    expect([world.store.kept(a), world.disk.names]).toEqual([undefined, []]);
  });

  it('makes the end of a volume last before its record goes, also when a dead process has removed it', async () => {
    const marked = async (world: StorageWorld): Promise<void> => {
      await closed(world, a);
      world.store.markReapingIfActive(a, 0);
      world.faults.reset();
    };
    await using clean = new StorageWorld();
    await marked(clean);
    await clean.retention.passes.sweep();
    await using world = new StorageWorld();
    await marked(world);
    world.faults.arm(clean.faults.steps.indexOf(`destroy ${kept(a)} (not synced) done`), 'kill');
    await world.ended(world.retention.passes.sweep().catch(() => undefined));
    expect([world.faults.fired, world.store.kept(a)?.status]).toEqual(['kill', 'reaping']);
    await world.restart(false);
    expect(world.store.kept(a)).toBeUndefined();
    await world.restart(true);
    expect(world.disk.names).toEqual([]);
  });

  it('ends the time of kept data, and not before', async () => {
    await using world = new StorageWorld({ retentionMaxAgeMs: 24 * hourMs });
    await closed(world, a);
    await world.clock.advance(23 * hourMs);
    await world.retention.passes.reapExpired();
    expect(world.disk.names).toEqual([kept(a)]);
    await world.clock.advance(hourMs);
    await world.retention.passes.reapExpired();
    expect([world.disk.names, world.store.page('', 0).keys]).toEqual([[], []]);
    await using forever = new StorageWorld({ retentionMaxAgeMs: 0 });
    await closed(forever, a);
    await forever.clock.advance(10_000 * hourMs);
    await forever.retention.passes.reapExpired();
    expect(forever.disk.names).toEqual([kept(a)]);
  });

  it('leaves a restore alone while somebody works on it, and finishes it when nobody does', async () => {
    await using world = new StorageWorld();
    await closed(world, a);
    const broken = vi.spyOn(world.store, 'deleteRestored').mockImplementation(() => {
      throw new Error('EIO');
    });
    await world.restore(a, c, 't', [item()]);
    expect(world.book.get(c)?.status).toBe('restarting');
    await world.retention.restoring.reconcile(a);
    expect([world.store.kept(a)?.status, world.disk.names]).toEqual(['restoring', [live(c)]]);
    await world.idle();
    expect([world.book.get(c)?.status, world.store.kept(a)?.status]).toEqual(['ready', 'restoring']);
    broken.mockRestore();
    await world.retention.restoring.reconcile(a);
    expect([world.store.kept(a), world.disk.volume(live(c))?.content]).toEqual([undefined, `data of ${a}`]);
  });

  it('takes back a restore whose new lease is gone, also when that did not work at first', async () => {
    await using world = new StorageWorld();
    await closed(world, a);
    const broken = vi.spyOn(world.disk, 'rename').mockRejectedValue(new Error('EIO'));
    await expect(world.restore(a, c, 't', [item()])).rejects.toThrow('EIO');
    expect(world.book.get(c), 'nothing waits for it').toBeUndefined();
    expect([world.store.kept(a)?.status, world.pool.usage.available.diskMb]).toEqual(['restoring', 999_900]);
    broken.mockRestore();
    await settle(world, 1);
    expect(world.store.kept(a)?.status).toBe('active');
    await world.restore(a, c, 't', [item()]);
    await world.idle();
    expect(world.disk.volume(live(c))?.content).toBe(`data of ${a}`);
  });
});
