/** What is wrong with one lease stays with it: no other waits for it, and none gets or loses data by it. */
import { describe, expect, it, vi } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { leaseId } from '../testing/leases.ts';
import { closed, item, kept, live, running } from '../testing/storage-leases.ts';
import { settle } from '../testing/storage-settle.ts';
import { flaws, placesOf } from '../testing/storage-truths.ts';
import { hourMs, StorageWorld } from '../testing/storage-world.ts';

const [a, b, c, d] = [leaseId(1), leaseId(2), leaseId(3), leaseId(4)];

/** As after the loss of the store, but for the history. */
function loseLeases({ releases: { file } }: StorageWorld): void {
  for (const table of ['lease_terms', 'lease_states']) file.prepare(`DELETE FROM ${table}`).run();
}

describe('what is wrong with one lease', () => {
  const garbage = (world: StorageWorld, lease: string): void =>
    void world.store.file
      .prepare('UPDATE retention SET value = ? WHERE key = ?')
      .run('{"status":"act', lease);

  it('ends nobody else’s time late: a record that cannot be read stays, the others go', async () => {
    await using world = new StorageWorld({ retentionMaxAgeMs: 24 * hourMs });
    for (const one of [a, b]) await closed(world, one);
    garbage(world, a);
    await world.clock.advance(25 * hourMs);
    await expect(world.retention.passes.reapExpired()).rejects.toThrow(`${a}: the retention record`);
    expect([world.disk.names, world.store.page('', 0).keys]).toEqual([[kept(a)], [a]]);
    expect(world.metrics.gauges, 'and stays counted').toMatchObject({ retainedBytes: 100 * 2 ** 20 });
  });

  it('keeps nobody else’s data out of its place', async () => {
    await using world = new StorageWorld();
    for (const one of [a, b]) await closed(world, one);
    for (const one of [a, b]) await world.disk.rename(kept(one), live(one));
    await world.disk.create(kept(a), 100);
    await expect(world.retention.passes.sweep()).rejects.toThrow('both exist');
    expect(world.disk.names).toEqual([live(a), kept(a), kept(b)].sort());
  });

  it('holds up nobody else’s close', async () => {
    await using world = new StorageWorld();
    for (const one of [a, b]) await running(world, one);
    for (const one of [a, b]) world.retention.closing.begin(world.book.get(one) as Lease);
    loseLeases(world);
    world.store.file.prepare('UPDATE closing SET value = ? WHERE key = ?').run('{', a);
    await world.restart(false);
    expect([world.book.size, world.store.closing()]).toEqual([0, [a]]);
    expect(world.disk.names, 'and what it says is protected').toEqual([live(a), kept(b)].sort());
    await world.sweepOrphans();
    expect(world.disk.names).toContain(live(a));
  });

  it('is written down anew when the lease itself is still there to be asked', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    const broken = vi.spyOn(world.disk, 'rename').mockRejectedValue(new Error('EIO'));
    await expect(world.close(a)).rejects.toThrow('EIO');
    broken.mockRestore();
    world.store.file.prepare('UPDATE closing SET value = ? WHERE key = ?').run('garbage', a);
    await world.close(a);
    expect([world.disk.names, world.store.kept(a)?.status]).toEqual([[kept(a)], 'active']);
    expect(flaws(world)).toEqual([]);
  });

  it('gives nobody the data of another: a record moves the volumes of its own lease only', async () => {
    await using world = new StorageWorld();
    await closed(world, a, [item()], 'ann');
    await closed(world, b, [item()], 'bob');
    await running(world, d, [item()], 'bob');
    const record = world.store.get(a);
    const names = [kept(a), kept(b), kept(d), '../../etc', 'fred-retained-x'];
    const text = JSON.stringify({ ...record, retained_volume_names: names });
    world.store.file.prepare('UPDATE retention SET value = ? WHERE key = ?').run(text, a);
    await world.retention.passes.sweep();
    expect(world.disk.names, 'what runs is not put away').toContain(live(d));
    await world.restore(a, c, 'ann', [item()]);
    await world.idle();
    expect(world.disk.volume(live(c))?.content).toBe(`data of ${a}`);
    expect(placesOf(world, `data of ${b}`)).toEqual([kept(b)]);
    expect(placesOf(world, `data of ${d}`)).toEqual([live(d)]);
  });
});

describe('a lease that comes back while its close is gone on with', () => {
  it('has its data, whoever comes first', async () => {
    await using world = new StorageWorld();
    await running(world, a);
    world.retention.closing.begin(world.book.get(a) as Lease);
    loseLeases(world);
    await world.restart(false);
    expect(world.disk.names, 'gone on with at the start').toEqual([kept(a)]);
    // Once more, and this time it is provisioned while its containers are looked for.
    await world.provision(a, 't', [item()]);
    await world.idle();
    world.retention.closing.begin(world.book.get(a) as Lease);
    loseLeases(world);
    let again: Promise<void> | undefined;
    const pass = world.faults.pass.bind(world.faults);
    world.faults.pass = async (step, moment) => {
      await pass(step, moment);
      if (step !== `containers of ${a} end` || again !== undefined) return;
      again = world.provision(a, 't', [item()]);
      await world.until('it is ready', () => world.book.get(a)?.status === 'ready');
    };
    await world.restart(false);
    expect(again).toBeDefined();
    await again;
    await world.idle();
    await settle(world, 1);
    expect(world.book.get(a)?.status).toBe('ready');
    expect(placesOf(world, `data of ${a}`)).toEqual([live(a)]);
    expect(flaws(world)).toEqual([]);
  });

  it('does not start on what a restore has left under its name', async () => {
    await using world = new StorageWorld();
    await closed(world, a);
    world.store.claimForRestore(a, c, 0, 0);
    await world.disk.rename(kept(a), live(c));
    await world.provision(c, 't', [item()]);
    await world.idle();
    expect(world.book.get(c)?.status).toBe('ready');
    expect(placesOf(world, `data of ${a}`)).toEqual([kept(a)]);
    expect([world.store.kept(a)?.status, flaws(world)]).toEqual(['active', []]);
  });
});
