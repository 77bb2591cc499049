/** Leases with data, on a real engine and a real btrfs: what tenants write is held to their quota, kept, and gone when they go. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { accepted, type Item, type NewLease, type Provider, refused } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { VolumeImage } from '../src/volume-images.ts';
import { manifest, service, volumeOf, Warehouse } from '../src/warehouse.ts';

let warehouse: Warehouse;
let provider: Provider;
/** Volumes of Docker's own, of which leases shall never have any. */
const anonymous = () => provider.host.docker('volume', 'ls', '--quiet');
let anonymousBefore: string;

beforeAll(async () => {
  warehouse = await Warehouse.open('volumes', {
    reconcile_interval: '2s',
    retention_reap_interval: '1s',
    container_tmpfs_size_mb: 8,
    // Some of these containers end at once; on a busy machine that takes its time to be told.
    startup_verify_duration: '2s',
    sku_profiles: {
      small: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 0 },
      data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 20 },
    },
  });
  ({ provider } = warehouse);
  anonymousBefore = await anonymous();
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());
afterEach(() => {
  expect(provider.desk.violations).toEqual([]);
});

const running = (form: VolumeImage, more: Partial<Item> = {}): Promise<NewLease> =>
  provider.provisioned(warehouse.lease(more), { services: { db: service(form) } });

/** Does it, and waits for what the backend then says. */
async function then(lease: NewLease, act: () => Promise<unknown>): Promise<string> {
  await act();
  const { status, error } = await provider.desk.next(lease.lease_uuid);
  return error === undefined ? status : `${status}: ${error}`;
}

async function close(lease: NewLease): Promise<void> {
  expect(await warehouse.close(lease)).toMatchObject({ status: 'deprovisioned' });
}
const restart = (lease: NewLease): Promise<string> =>
  then(lease, async () => accepted(await provider.client.restart(lease.lease_uuid)));

describe('a lease with data', () => {
  it('has a labelled subvolume of its own, bound where the image declares it, and gone when it is closed', async () => {
    const lease = await running('data');
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    expect(statSync(warehouse.onDisk(volumeOf(lease))).ino).toBe(256);
    expect((await warehouse.shell(lease, 'echo precious > /data/file && cat /data/file')).out).toBe(
      'precious',
    );
    expect(readFileSync(warehouse.onDisk(volumeOf(lease), 'data', 'file'), 'utf8')).toBe('precious\n');
    expect(await anonymous()).toBe(anonymousBefore);
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
  });

  it('is stopped at its quota by the kernel, from inside its container, for bytes and for empty files', async () => {
    const lease = await running('data');
    const { code, out } = await warehouse.shell(
      lease,
      'dd if=/dev/zero of=/data/big bs=1M count=50 conv=fsync',
    );
    expect(code).not.toBe(0);
    expect(out).toMatch(/quota|space/i);
    expect(statSync(warehouse.onDisk(volumeOf(lease), 'data', 'big')).size).toBeLessThanOrEqual(20 * 2 ** 20);
    const empty = await warehouse.shell(
      lease,
      'i=0; while [ $i -lt 20000 ]; do : > /data/f$i || exit 3; i=$((i+1)); done',
    );
    expect(empty.code).not.toBe(0);
    await close(lease);
  });

  it('keeps its data across restarts, updates and a death, for each instance its own', async () => {
    const lease = await running('data', { quantity: 2 });
    for (const index of [0, 1]) await warehouse.shell(lease, `echo ${index} > /data/own`, index);
    expect(await restart(lease)).toBe('success');
    const manifest = { services: { db: service('data', { env: { CHANGED: 'yes' } }) } };
    expect(
      await then(lease, async () => accepted(await provider.client.update(lease.lease_uuid, manifest))),
    ).toBe('success');
    for (const index of [0, 1])
      expect((await warehouse.shell(lease, 'cat /data/own', index)).out).toBe(String(index));
    expect(await then(lease, () => provider.host.docker('kill', volumeOf(lease)))).toMatch(/^failed/);
    accepted(await provider.client.provision(lease, manifest));
    expect((await provider.desk.next(lease.lease_uuid)).status).toBe('success');
    expect((await warehouse.shell(lease, 'cat /data/own', 1)).out).toBe('1');
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
  });

  it('gives each declared folder to the user whose it is in the image, nested ones too', async () => {
    const lease = await running('owned');
    const { out } = await warehouse.shell(
      lease,
      'id -u; echo x > /srv/db/a; echo y > /srv/db/wal/b; cat /srv/db/a /srv/db/wal/b',
    );
    expect(out.split('\n')).toEqual(['1500', 'x', 'y']);
    const { uid, gid, mode } = statSync(warehouse.onDisk(volumeOf(lease), 'srv', 'db', 'wal'));
    expect([uid, gid, mode & 0o777]).toEqual([1500, 1600, 0o700]);
    await close(lease);
  });

  it('without a tier that has disk gets memory there, and no volume', async () => {
    const lease = await running('data', { sku: 'small' });
    expect(warehouse.volumes).toEqual([]);
    expect((await warehouse.shell(lease, 'grep " /data " /proc/mounts')).out).toContain('tmpfs');
    expect(await anonymous()).toBe(anonymousBefore);
    await close(lease);
  });

  it('that cannot start leaves no volume that it made, and keeps those that were there', async () => {
    const lease = warehouse.lease();
    const broken = { services: { db: service('data', { command: ['sh', '-c', 'exit 3'] }) } };
    expect(await then(lease, async () => accepted(await provider.client.provision(lease, broken)))).toMatch(
      /^failed/,
    );
    expect(warehouse.volumes).toEqual([]);
    expect(await then(lease, async () => accepted(await provider.client.provision(lease, manifest)))).toBe(
      'success',
    );
    await warehouse.shell(lease, 'echo kept > /data/file');
    await then(lease, () => provider.host.docker('kill', volumeOf(lease)));
    expect(await then(lease, async () => accepted(await provider.client.provision(lease, broken)))).toMatch(
      /^failed/,
    );
    expect(readFileSync(warehouse.onDisk(volumeOf(lease), 'data', 'file'), 'utf8')).toBe('kept\n');
    expect(
      accepted(await provider.client.stats()),
      'its data is counted, its containers are not',
    ).toMatchObject({
      allocated_cpu_cores: 0,
      allocated_disk_mb: 20,
      active_containers: 0,
    });
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
    expect(accepted(await provider.client.stats())).toMatchObject({ allocated_disk_mb: 0 });
  });

  it('whose image wants its data where scratch lies is refused, with nothing left', async () => {
    const lease = warehouse.lease();
    const manifest = { services: { db: service('reserved') } };
    expect(await then(lease, async () => accepted(await provider.client.provision(lease, manifest)))).toBe(
      'failed: volume creation failed',
    );
    expect(warehouse.volumes).toEqual([]);
    await close(lease);
  });

  it('needs an id by which its volumes can be found again', async () => {
    const lease = { ...warehouse.lease(), lease_uuid: 'lease-1' };
    expect(refused(await provider.client.provision(lease, manifest)).status).toBe(400);
  });

  it('is led nowhere by a link that its tenant has planted in the place of a folder', async () => {
    const lease = await running('outer');
    await warehouse.shell(lease, 'echo mine > /srv/db/kept && ln -s / /srv/db/wal');
    const manifest = { services: { db: service('owned') } };
    expect(
      await then(lease, async () => accepted(await provider.client.update(lease.lease_uuid, manifest))),
    ).toBe('failed: update failed; rolled back to previous version');
    expect((await warehouse.shell(lease, 'cat /srv/db/kept; readlink /srv/db/wal')).out).toBe('mine\n/');
    expect(statSync('/').uid).toBe(0);
    await close(lease);
  });

  it('has the content of its image where the image lets its user write, fresh at each start', async () => {
    const lease = await running('scratch', { sku: 'small' });
    const { out } = await warehouse.shell(
      lease,
      'cat /var/lib/app/plugins/one; readlink /var/lib/app/link; touch /var/lib/x 2>&1; echo mine > /var/lib/app/new; rm /var/lib/app/plugins/one',
    );
    expect(out).toMatch(/^seeded\n\/etc\/passwd\n.*Read-only/);
    expect(
      (await warehouse.shell(lease, 'dd if=/dev/zero of=/var/lib/app/big bs=1M count=20')).code,
    ).not.toBe(0);
    expect(readdirSync(warehouse.onDisk(volumeOf(lease)))).toEqual(['_wp']);
    expect(await restart(lease)).toBe('success');
    expect((await warehouse.shell(lease, 'cat /var/lib/app/plugins/one; ls /var/lib/app')).out).toBe(
      'seeded\nlink\nplugins',
    );
    expect(readdirSync(warehouse.onDisk(volumeOf(lease)))).toEqual(['_wp']);
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
  });

  it('that gets back what ran before finds there what that had, and its data', async () => {
    const lease = await running('both');
    await warehouse.shell(lease, 'echo mine > /var/lib/app/new; echo precious > /data/file');
    const broken = {
      services: { db: service('both', { command: ['sh', '-c', 'echo y > /data/more; exit 3'] }) },
    };
    expect(
      await then(lease, async () => accepted(await provider.client.update(lease.lease_uuid, broken))),
    ).toContain('rolled back to previous version');
    expect(
      (await warehouse.shell(lease, 'cat /var/lib/app/new /var/lib/app/one /data/file /data/more')).out,
    ).toBe('mine\nseeded\nprecious\ny');
    expect(readdirSync(warehouse.onDisk(volumeOf(lease))).sort()).toEqual(['_wp', 'data']);
    await close(lease);
  });

  it('keeps its volume when its containers are removed behind our back, and strangers’ leftovers go at the start', async () => {
    const lease = await running('data');
    await warehouse.shell(lease, 'echo kept > /data/file');
    const orphan = 'fred-01234567-89ab-4cde-8f01-23456789abcd-db-0';
    await provider.host.must(['btrfs', 'subvolume', 'create', join(warehouse.disk.path, orphan)]);
    await provider.host.must(['mkdir', join(warehouse.disk.path, 'other')]);
    await provider.program.stop('SIGKILL');
    await provider.host.docker('rm', '--force', volumeOf(lease));
    await provider.restart();
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    expect(readdirSync(warehouse.onDisk())).toContain('other');
    expect(readFileSync(warehouse.onDisk(volumeOf(lease), 'data', 'file'), 'utf8')).toBe('kept\n');
    expect(await then(lease, async () => accepted(await provider.client.provision(lease, manifest)))).toBe(
      'success',
    );
    expect((await warehouse.shell(lease, 'cat /data/file')).out).toBe('kept');
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
  });

  it('keeps its volume however often strangers’ leftovers are looked for, and those go without a start', async () => {
    const lease = await running('data');
    await warehouse.shell(lease, 'echo kept > /data/file');
    await provider.program.stop('SIGKILL');
    await provider.host.docker('rm', '--force', volumeOf(lease));
    await provider.run();
    for (let n = 1; n <= 2; n++) {
      const orphan = `fred-01234567-89ab-4cde-8f01-23456789abc${n}-db-0`;
      await provider.host.must(['btrfs', 'subvolume', 'create', join(warehouse.disk.path, orphan)]);
      await waitFor('the leftover to go', async () => !warehouse.volumes.includes(orphan), {
        timeoutMs: 60_000,
        evidence: () => provider.program.output,
      });
    }
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    const kept = 'a volume without an owner is kept';
    expect(provider.program.output.split(kept).length - 1, 'told once').toBe(1);
    await close(lease);
    expect(warehouse.volumes).toEqual([]);
  });
});
