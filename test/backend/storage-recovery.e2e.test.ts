/** What brings kept data through the loss of containers, records and images: by the program itself, on a real btrfs. */
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileSystem, makeFileSystem } from '@berth/lab';
import { accepted, type NewLease, Provider, refused } from '@berth/lab/provider';
import { lab } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushVolumeImages, volumeImage } from '../src/volume-images.ts';

let disk: FileSystem;
let provider: Provider;

beforeAll(async () => {
  const host = (await lab()).host();
  disk = await makeFileSystem(host, { name: `recovery-${process.pid}`, type: 'btrfs', sizeMb: 512 });
  provider = await Provider.open(host, {
    disk,
    config: {
      retain_on_close: true,
      total_disk_mb: 400,
      sku_profiles: { data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 20 } },
    },
  });
  await pushVolumeImages(provider);
}, 300_000);
afterAll(async () => {
  await provider?.[Symbol.asyncDispose]();
  await disk?.[Symbol.asyncDispose]();
}, 120_000);

const stays = "trap 'exit 0' TERM; sleep 3600 & wait";
const manifest = { services: { db: { image: volumeImage('data'), command: ['sh', '-c', stays] } } };
const items = [{ sku: 'data', quantity: 1, service_name: 'db' }];
const volumeOf = ({ lease_uuid: uuid }: NewLease): string => `fred-${uuid}-db-0`;
const keptOf = ({ lease_uuid: uuid }: NewLease): string => `fred-retained-${uuid}-db-0`;
const volumes = (): readonly string[] =>
  readdirSync(disk.pathFromOutside)
    .filter((name) => name.startsWith('fred-'))
    .sort();
const inside = (lease: NewLease, line: string): Promise<string> =>
  provider.host.docker('exec', volumeOf(lease), 'sh', '-c', line);

async function written(content: string): Promise<NewLease> {
  const lease = await provider.provisioned(provider.lease(items), manifest);
  await inside(lease, `echo "${content}" > /data/file && sync`);
  return lease;
}

async function close(lease: NewLease) {
  accepted(await provider.client.deprovision(lease.lease_uuid));
  return await provider.desk.next(lease.lease_uuid);
}

async function restored(from: NewLease, content: string): Promise<NewLease> {
  const lease = provider.lease(items);
  accepted(await provider.client.restore(lease, from.lease_uuid));
  expect(await provider.desk.next(lease.lease_uuid)).toMatchObject({ status: 'success' });
  expect((await inside(lease, 'cat /data/file')).trim()).toBe(content);
  return lease;
}

const main = join(import.meta.dirname, '..', '..', 'packages', 'backend', 'src', 'main.ts');
const recover = (...flags: readonly string[]): Promise<string> =>
  provider.host.must([process.execPath, main, 'recover', ...flags, '-config', provider.program.configFile]);

describe('kept data', () => {
  it('of a lease whose containers somebody removed outlives starts, and its close keeps it', async () => {
    const lease = await written('precious');
    await provider.program.stop('SIGKILL');
    await provider.host.docker('rm', '--force', volumeOf(lease));
    await provider.restart();
    expect(refused(await provider.client.provisionOf(lease.lease_uuid)).status).toBe(404);
    await provider.restart('SIGKILL');
    expect(volumes()).toEqual([volumeOf(lease)]);
    expect(await close(lease)).toMatchObject({ status: 'deprovisioned', retained: true });
    await provider.restart('SIGKILL');
    expect(volumes()).toEqual([keptOf(lease)]);
    await close(await restored(lease, 'precious'));
  }, 120_000);

  it('is restored when its image is not on the host any more', async () => {
    const lease = await written('pulled');
    await close(lease);
    await provider.host.docker('image', 'rm', '--force', volumeImage('data'));
    await expect(provider.host.docker('image', 'inspect', volumeImage('data'))).rejects.toThrow();
    await close(await restored(lease, 'pulled'));
  }, 120_000);

  it('is not touched when the retention store is lost, and recover gives it back byte by byte', async () => {
    const lease = await written('found again');
    await close(lease);
    const there = volumes();
    expect(there).toContain(keptOf(lease));
    const { program } = provider;
    await program.stop();
    for (const end of ['', '-wal', '-shm'])
      await rm(join(program.folder, `retention.db${end}`), { force: true });
    await provider.restart();
    expect(program.output).toMatch(/nothing is destroyed, see docs\/guides\/docker-backend-kept-data\.md/);
    expect(volumes()).toEqual(there);
    expect(accepted(await provider.client.stats()), 'what nobody knows is counted').toMatchObject({
      available_disk_mb: 400 - 20 * there.length,
    });
    expect(refused(await provider.client.restore(provider.lease(items), lease.lease_uuid)).status).toBe(422);

    await program.stop();
    for (const spelling of ['--dry-run', '-dry-run']) {
      const shown = await recover(spelling);
      expect(shown).toContain(`lease ${lease.lease_uuid} of ${lease.tenant}: 1 volumes, from its copy`);
      expect(shown).toContain('nothing was changed');
    }
    expect(await recover()).toContain(`${there.length} leases without a record, 0 volumes of nobody`);
    await provider.restart();
    expect(program.output).not.toContain('nothing is destroyed');
    await close(await restored(lease, 'found again'));
  }, 120_000);
});
