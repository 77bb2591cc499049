/** Closing, keeping and restoring by the program itself, on a real engine and a real btrfs with quotas. */
import { statSync } from 'node:fs';
import { accepted, type NewLease, type Provider, refused } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { seededRandom } from '@berth/service';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keptOf, volumeOf, Warehouse } from '../src/warehouse.ts';

let warehouse: Warehouse;
let provider: Provider;

beforeAll(async () => {
  warehouse = await Warehouse.open('retention', {
    retain_on_close: true,
    total_disk_mb: 400,
    retention_reap_interval: '3s',
    max_retained_leases_per_tenant: 2,
    sku_profiles: {
      data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 20 },
      more: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 40 },
      less: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 2 },
    },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());
afterEach(() => {
  expect(provider.desk.violations).toEqual([]);
});

/** Every lease has what was written for it. */
async function same(live: ReadonlyMap<NewLease, string>, when: string): Promise<void> {
  for (const [lease, content] of live)
    expect((await warehouse.shell(lease, 'cat /data/file')).out, when).toBe(content);
}

/** Two closed leases of a tenant are kept. */
function keep(closed: Map<NewLease, string>, lease: NewLease, content: string): void {
  const [oldest] = closed.keys();
  if (oldest !== undefined && closed.size === 2) closed.delete(oldest);
  closed.set(lease, content);
}

const kept = async (): Promise<readonly string[]> =>
  accepted(await provider.client.retentions()).retentions.map(({ lease_uuid: uuid }) => uuid);

describe('the data of a closed lease, on btrfs', () => {
  it('is kept, shown, counted, and given byte by byte to the lease that restores it', async () => {
    const first = await warehouse.running();
    await warehouse.shell(
      first,
      'mkdir /data/deep && echo precious > /data/deep/file && chmod 640 /data/deep/file',
    );
    const file = (volume: string) => statSync(warehouse.onDisk(volume, 'data', 'deep', 'file'));
    const { ino, mtimeMs, uid: owner } = file(volumeOf(first));
    expect(await warehouse.close(first)).toMatchObject({ status: 'deprovisioned', retained: true });
    expect(warehouse.volumes).toEqual([keptOf(first)]);
    expect(accepted(await provider.client.provisionOf(first.lease_uuid))).toMatchObject({
      status: 'retained',
      tenant: first.tenant,
      items: first.items,
    });
    expect(await kept()).toEqual([first.lease_uuid]);
    expect(accepted(await provider.client.stats())).toMatchObject({
      allocated_disk_mb: 0,
      available_disk_mb: 380,
    });

    const second = await warehouse.restored(first);
    expect(warehouse.volumes).toEqual([volumeOf(second)]);
    expect((await warehouse.shell(second, 'cat /data/deep/file')).out).toBe('precious');
    const { mode, uid, gid, ...now } = file(volumeOf(second));
    expect([mode & 0o777, uid, gid, now.ino, now.mtimeMs]).toEqual([0o640, owner, 0, ino, mtimeMs]);
    expect(await kept()).toEqual([]);
    expect(accepted(await provider.client.stats())).toMatchObject({
      allocated_disk_mb: 20,
      available_disk_mb: 380,
    });
    expect(refused(await provider.client.restore(warehouse.lease(), first.lease_uuid)).status).toBe(422);
    accepted(await provider.client.restart(second.lease_uuid));
    expect(await provider.desk.next(second.lease_uuid)).toMatchObject({ status: 'success' });
    expect((await warehouse.shell(second, 'cat /data/deep/file')).out, 'after a restart').toBe('precious');
    await warehouse.close(second);
  });

  it('goes onto a smaller tier only when it fits, and has the size of its tier there', async () => {
    const first = await warehouse.running();
    await warehouse.shell(first, 'dd if=/dev/urandom of=/data/big bs=1M count=6 conv=fsync');
    await warehouse.close(first);
    expect(
      refused(await provider.client.restore(warehouse.lease({ sku: 'less' }), first.lease_uuid)),
    ).toMatchObject({
      status: 422,
      code: 'demote_exceeds_tier',
    });
    expect(warehouse.volumes).toContain(keptOf(first));
    const second = await warehouse.restored(first, { sku: 'more' });
    const fits = await warehouse.shell(second, 'dd if=/dev/zero of=/data/more bs=1M count=26 conv=fsync');
    expect(fits.code, fits.out).toBe(0);
    const full = await warehouse.shell(second, 'dd if=/dev/zero of=/data/toomuch bs=1M count=30 conv=fsync');
    expect(full.out).toMatch(/quota|space/i);
    await warehouse.close(second);
  });

  it('goes back when the new lease does not start, and can be restored again', async () => {
    const first = await warehouse.running();
    await warehouse.shell(first, 'echo still here > /data/file');
    await warehouse.close(first);
    const lease = warehouse.lease();
    const taken = volumeOf(lease);
    // Its container cannot be made: something else has its name.
    await provider.host.docker('create', '--name', taken, provider.image, 'true');
    accepted(await provider.client.restore(lease, first.lease_uuid));
    expect(await provider.desk.next(lease.lease_uuid)).toMatchObject({ status: 'failed' });
    await provider.host.docker('rm', taken);
    expect(warehouse.volumes).toContain(keptOf(first));
    expect(accepted(await provider.client.provisionOf(first.lease_uuid)).status).toBe('retained');
    expect(refused(await provider.client.restart(lease.lease_uuid)).status, 'never on empty volumes').toBe(
      409,
    );
    await warehouse.close(lease);
    const again = await warehouse.restored(first);
    expect((await warehouse.shell(again, 'cat /data/file')).out).toBe('still here');
    await warehouse.close(again);
  });

  it('makes room for newer data of its tenant', async () => {
    const leases: NewLease[] = [];
    for (let n = 0; n < 3; n++) {
      const lease = await warehouse.running();
      await warehouse.close(lease);
      leases.push(lease);
    }
    const [, second, third] = leases;
    await waitFor(
      'the oldest is gone',
      async () => (await kept()).length === 2 && warehouse.volumes.length === 2,
      {
        timeoutMs: 60_000,
        evidence: () => warehouse.volumes.join(' '),
      },
    );
    expect(await kept()).toEqual([second?.lease_uuid, third?.lease_uuid].sort());
  });

  it('outlives a process that is killed, and whole histories of leases with kills in between', async () => {
    const seed = fc.readConfigureGlobal().seed ?? 0;
    const random = seededRandom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const live = new Map<NewLease, string>();
    const closed = new Map<NewLease, string>();
    const steps = 14;
    for (let step = 0; step < steps; step++) {
      const [lease] = [...live.keys()].slice(below(Math.max(1, live.size)));
      const [from] = [...closed.keys()].slice(below(Math.max(1, closed.size)));
      const what = below(10);
      if (lease === undefined || (what < 3 && live.size < 2)) {
        const made = await warehouse.running();
        await warehouse.shell(made, `echo "content ${step}" > /data/file && sync`);
        live.set(made, `content ${step}`);
      } else if (what < 6) {
        await warehouse.close(lease);
        keep(closed, lease, live.get(lease) ?? '');
        live.delete(lease);
      } else if (what < 8 && from !== undefined) {
        const made = await warehouse.restored(from);
        live.set(made, closed.get(from) ?? '');
        closed.delete(from);
      } else await provider.restart('SIGKILL');
      await same(live, `BERTH_SEED=${seed}, step ${step}`);
    }
    await waitFor(
      'the disk has what is live and what is kept, and nothing else',
      () =>
        warehouse.volumes.join() ===
        [...[...live.keys()].map((lease) => volumeOf(lease)), ...[...closed.keys()].map(keptOf)]
          .sort()
          .join(),
      { timeoutMs: 60_000, evidence: () => warehouse.volumes.join(' ') },
    );
    process.stdout.write(`storage on btrfs: ${steps} steps of one history\n`);
  }, 1_200_000);
});
