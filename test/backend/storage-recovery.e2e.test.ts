/** What brings kept data through the loss of containers, records and images: by the program itself, on a real btrfs. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { accepted, type NewLease, type Provider, refused } from '@berth/lab/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { volumeImage } from '../src/volume-images.ts';
import { keptOf, manifest, volumeOf, Warehouse } from '../src/warehouse.ts';

let warehouse: Warehouse;
let provider: Provider;

beforeAll(async () => {
  warehouse = await Warehouse.open('recovery', {
    retain_on_close: true,
    total_disk_mb: 400,
    sku_profiles: { data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 20 } },
    retention_tenant_budgets: { 'some-tenant': { max_retained_leases: 1, max_retained_disk_mb: 20 } },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());

async function written(content: string): Promise<NewLease> {
  const lease = await warehouse.running();
  await warehouse.shell(lease, `echo "${content}" > /data/file && sync`);
  return lease;
}

async function restored(from: NewLease, content: string): Promise<NewLease> {
  const lease = await warehouse.restored(from);
  expect((await warehouse.shell(lease, 'cat /data/file')).out).toBe(content);
  return lease;
}

/** The backend has ended, and its store is gone. */
async function lose(store: string): Promise<void> {
  await provider.program.stop();
  for (const end of ['', '-wal', '-shm'])
    await rm(join(provider.program.folder, store + end), { force: true });
}

async function recover(...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await provider.command('recover', ...flags);
  expect(code, stderr).toBe(0);
  return stdout;
}

describe('kept data', () => {
  it('of a lease whose containers somebody removed outlives starts, and its close keeps it', async () => {
    const lease = await written('precious');
    await provider.program.stop('SIGKILL');
    await provider.host.docker('rm', '--force', volumeOf(lease));
    await provider.restart();
    expect(refused(await provider.client.provisionOf(lease.lease_uuid)).status).toBe(404);
    expect(provider.program.output).toMatch(/kept data of a tenant with a budget.*some-tenant/);
    await provider.restart('SIGKILL');
    expect(warehouse.volumes).toEqual([volumeOf(lease)]);
    expect(await warehouse.close(lease)).toMatchObject({ status: 'deprovisioned', retained: true });
    await provider.restart('SIGKILL');
    expect(warehouse.volumes).toEqual([keptOf(lease)]);
    await warehouse.close(await restored(lease, 'precious'));
  });

  it('is restored when its image is not on the host any more', async () => {
    const lease = await written('pulled');
    await warehouse.close(lease);
    await provider.host.docker('image', 'rm', '--force', volumeImage('data'));
    await expect(provider.host.docker('image', 'inspect', volumeImage('data'))).rejects.toThrow();
    await warehouse.close(await restored(lease, 'pulled'));
  });

  it('of a lease that nothing but its volume tells of is not touched, and is there when the lease starts again', async () => {
    const lease = await written('forgotten');
    await lose('releases.db');
    await provider.host.docker('rm', '--force', volumeOf(lease));
    await provider.restart();
    expect(provider.program.output).toContain(
      `it was made for lease ${lease.lease_uuid} of ${lease.tenant}, which no store knows`,
    );
    expect(warehouse.volumes).toContain(volumeOf(lease));
    expect(accepted(await provider.client.stats()), 'it is counted').toMatchObject({
      available_disk_mb: 400 - 20 * warehouse.volumes.length,
    });
    await provider.provisioned(lease, manifest);
    expect((await warehouse.shell(lease, 'cat /data/file')).out).toBe('forgotten');
    await warehouse.close(lease);
  }, 120_000);

  it('is not touched when the retention store is lost, and recover gives it back byte by byte', async () => {
    const lease = await written('found again');
    await warehouse.close(lease);
    const there = warehouse.volumes;
    expect(there).toContain(keptOf(lease));
    const { program } = provider;
    await lose('retention.db');
    await provider.restart();
    expect(program.output).toMatch(/nothing is destroyed, see docs\/guides\/docker-backend-kept-data\.md/);
    expect(warehouse.volumes).toEqual(there);
    expect(accepted(await provider.client.stats()), 'what nobody knows is counted').toMatchObject({
      available_disk_mb: 400 - 20 * there.length,
    });
    expect(refused(await provider.client.restore(warehouse.lease(), lease.lease_uuid)).status).toBe(422);

    await program.stop();
    for (const spelling of ['--dry-run', '-dry-run']) {
      const shown = await recover(spelling);
      expect(shown).toContain(`lease ${lease.lease_uuid} of ${lease.tenant}: 1 volumes, from its copy`);
      expect(shown).toContain('nothing was changed');
    }
    expect(await recover()).toContain(`${there.length} leases without a record, 0 volumes of nobody`);
    await provider.restart();
    expect(program.output).not.toContain('nothing is destroyed');
    await warehouse.close(await restored(lease, 'found again'));
  });
});
