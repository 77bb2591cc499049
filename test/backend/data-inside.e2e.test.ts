/** What a tenant finds again, and what it can do to its volume from inside its container, on a real engine and a real btrfs. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openQuotaFilesystem } from '@berth/kernel/filesystems';
import { accepted, type NewLease, type Provider } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptOf, manifest, volumeOf, Warehouse } from '../src/warehouse.ts';

const diskMb = 32;
let warehouse: Warehouse;
let provider: Provider;

beforeAll(async () => {
  warehouse = await Warehouse.open('inside', {
    retain_on_close: true,
    // What is kept next takes the place of what was kept before, which is destroyed.
    max_retained_leases_per_tenant: 1,
    total_disk_mb: 400,
    sku_profiles: { data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: diskMb } },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());

/** Writes so many MiB; what that ended with. */
const fill = async (lease: NewLease, path: string, mib: number): Promise<number> =>
  (await warehouse.shell(lease, `dd if=/dev/urandom of=${path} bs=1M count=${mib} conv=fsync`)).code;

async function close(lease: NewLease): Promise<void> {
  expect(await warehouse.close(lease)).toMatchObject({ status: 'deprovisioned', retained: true });
}

/** What is written on a volume for its owner's sake. */
async function ownerOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  const { volumes: seen } = await openQuotaFilesystem({
    root: warehouse.disk.pathFromOutside,
    wanted: 'btrfs',
    isManaged: () => true,
    warn: () => undefined,
    onClearFailed: () => undefined,
    minAvgFileBytes: 0,
  });
  return JSON.parse((await seen.label(name)) ?? '{}') as Readonly<Record<string, unknown>>;
}

describe('a tenant’s data', () => {
  it('is there again when a lease that was closed is provisioned once more, also after deaths', async () => {
    const lease = await warehouse.running();
    await warehouse.shell(lease, 'echo mine > /data/file && sync');
    await close(lease);
    expect(warehouse.volumes).toEqual([keptOf(lease)]);
    await provider.restart('SIGKILL');
    await provider.provisioned(lease, manifest);
    expect((await warehouse.shell(lease, 'cat /data/file')).out).toBe('mine');
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    expect(accepted(await provider.client.retentions()).retentions).toEqual([]);
    await provider.restart('SIGKILL');
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    expect((await warehouse.shell(lease, 'cat /data/file')).out).toBe('mine');
    await close(lease);
    expect(warehouse.volumes).toEqual([keptOf(lease)]);
  });

  it('says for whom it is after a restore, even where it fills its volume to the last byte', async () => {
    const lease = await warehouse.running();
    expect(await ownerOf(volumeOf(lease))).toMatchObject({ lease: lease.lease_uuid, tenant: lease.tenant });
    expect(await fill(lease, '/data/big', 2 * diskMb)).not.toBe(0);
    await close(lease);
    const next = await warehouse.restored(lease);
    expect(await ownerOf(volumeOf(next))).toMatchObject({
      ...{ lease: next.lease_uuid, tenant: lease.tenant, service: 'db', index: 0 },
      ...{ sku: 'data', size_mb: diskMb },
    });
    expect(await fill(next, '/data/more', 2), 'it has no more room than before').not.toBe(0);
    await close(next);
  });

  it('counts against its quota in subvolumes that it makes from inside, and goes with them', async () => {
    const lease = await warehouse.running();
    const btrfs = bringBtrfs(warehouse.onDisk(volumeOf(lease), 'data'));
    for (const path of ['/data/nested', '/data/nested/deeper'])
      expect(await warehouse.inside(lease, [...btrfs, 'subvolume', 'create', path])).toMatchObject({
        code: 0,
      });
    const deep = '/data/nested/deeper';
    await fill(lease, `${deep}/first`, diskMb);
    let file = 0;
    await waitFor(
      'what lies in a subvolume inside to be held',
      async () => (await fill(lease, `${deep}/more${++file}`, 1)) !== 0,
      { timeoutMs: 60_000, everyMs: 1000 },
    );
    // It is held from whenever it was seen on, which may have been in the middle of the first file.
    expect(await fill(lease, '/data/own', 2 * diskMb), 'nor does the volume itself get more').not.toBe(0);
    const sizes = (await warehouse.shell(lease, `cat ${deep}/first /data/own 2>/dev/null | wc -c`)).out;
    expect(Number(sizes)).toBeLessThan((diskMb + 4) * 2 ** 20);
    const seen = (await warehouse.shell(lease, `ls ${deep} && cat ${deep}/first | wc -c`)).out;
    await close(lease);
    const next = await warehouse.restored(lease);
    expect((await warehouse.shell(next, `ls ${deep} && cat ${deep}/first | wc -c`)).out).toBe(seen);
    await close(next);
    const other = await warehouse.running();
    await close(other);
    await waitFor('what was kept before to go', () => !warehouse.volumes.includes(keptOf(next)), {
      timeoutMs: 60_000,
    });
    expect(warehouse.volumes).toEqual([keptOf(other)]);
    const left = await provider.host.must(['btrfs', 'subvolume', 'list', warehouse.disk.path]);
    expect(left.trim().split('\n')).toHaveLength(1);
  });
});

/** A tenant may bring what programs it likes: here the tool, with its libraries beside it. How it is called in there. */
function bringBtrfs(folder: string): readonly string[] {
  const program = '/usr/bin/btrfs';
  const needs = execFileSync('ldd', [program], { encoding: 'utf8' });
  const libraries = Array.from(needs.matchAll(/(\/\S+) \(0x/g), ([, path = '']) => path);
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  for (const path of [program, ...libraries]) copyFileSync(path, join(tools, basename(path)));
  const loader = libraries.map((path) => basename(path)).find((name) => name.startsWith('ld-linux')) ?? '';
  return [`/data/tools/${loader}`, '--library-path', '/data/tools', '/data/tools/btrfs'];
}
