/** A provider who puts this program in the place of an earlier one: nothing is destroyed before, and nothing is lost after. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boltFile } from '@berth/backend/testing/bolt-writer';
import { accepted, type NewLease, type Provider, refused } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptOf, manifest, volumeOf, Warehouse } from '../src/warehouse.ts';

let warehouse: Warehouse;
let provider: Provider;

beforeAll(async () => {
  warehouse = await Warehouse.open('import', {
    retain_on_close: true,
    retention_reap_interval: '1s',
    startup_verify_duration: '300ms',
    sku_profiles: { data: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 20 } },
  });
  ({ provider } = warehouse);
});
afterAll(() => warehouse?.[Symbol.asyncDispose]());

/** As the earlier program has left it: its names, its labels, and nothing of ours on the disk or in a store. */
class Earlier {
  /** Closed and kept. */
  readonly kept = warehouse.lease();
  /** Kept as well, and its record is damaged. */
  readonly damaged = warehouse.lease();
  /** Runs. */
  readonly alive = warehouse.lease();
  /** Its container was removed by somebody; its release is all that speaks for its data. */
  readonly bare = warehouse.lease();
  /** Nobody's. */
  readonly orphan = warehouse.lease();
  /** Closed, and its provider has not heard of it. */
  readonly owed = warehouse.lease();
  /** It failed, and nothing is left of it but the reason. */
  readonly failed = warehouse.lease();

  async leave(): Promise<void> {
    const { host, program } = provider;
    const { disk } = warehouse;
    await program.stop();
    for (const name of readdirSync(program.folder))
      if (/\.db/.test(name)) await rm(join(program.folder, name), { force: true });
    for (const name of readdirSync(disk.pathFromOutside))
      await rm(warehouse.onDisk(name), { force: true, recursive: true });
    const { kept, damaged, alive, bare, orphan } = this;
    const all = [keptOf(kept), keptOf(damaged), volumeOf(alive), volumeOf(bare), volumeOf(orphan)];
    for (const name of all) {
      await host.must(['btrfs', 'subvolume', 'create', join(disk.path, name)]);
      await host.must(['mkdir', join(disk.path, name, 'data')]);
      await writeFile(warehouse.onDisk(name, 'data', 'file'), `data of ${name}\n`);
    }
    const labels = {
      managed: 'true',
      backend_name: provider.id,
      lease_uuid: alive.lease_uuid,
      tenant: alive.tenant,
      provider_uuid: alive.provider_uuid,
      sku: 'data',
      service_name: 'db',
      instance_index: '0',
      created_at: '2026-01-02T03:04:05Z',
      callback_url: provider.desk.url,
    };
    const marks = Object.entries(labels).flatMap(([key, value]) => ['--label', `fred.${key}=${value}`]);
    const bind = ['--volume', `${join(disk.path, volumeOf(alive), 'data')}:/data`];
    const { db } = manifest.services;
    await host.docker('pull', db.image);
    await host.docker(
      ...['run', '--detach', '--name', volumeOf(alive), ...marks, ...bind],
      ...[db.image, ...db.command],
    );
    await this.#stores();
  }

  async #stores(): Promise<void> {
    const folder = join(provider.program.folder, 'earlier');
    await mkdir(folder);
    const created_at = new Date().toISOString();
    const text = JSON.stringify(manifest);
    const record = {
      original_lease_uuid: this.kept.lease_uuid,
      tenant: this.kept.tenant,
      provider_uuid: this.kept.provider_uuid,
      items: this.kept.items,
      stack_manifest: manifest,
      callback_url: provider.desk.url,
      retained_volume_names: [keptOf(this.kept)],
      status: 'active',
      generation: 3,
      created_at,
      restoring_since: '0001-01-01T00:00:00Z',
      reaping_since: '0001-01-01T00:00:00Z',
    };
    const release = {
      version: 1,
      manifest: Buffer.from(text).toString('base64'),
      image: 'stack',
      status: 'active',
      created_at,
    };
    const callback = {
      lease_uuid: this.owed.lease_uuid,
      callback_url: provider.desk.url,
      success: true,
      status: 'deprovisioned',
      backend: provider.id,
      error: '',
      retained: true,
      created_at,
    };
    const failure = {
      lease_uuid: this.failed.lease_uuid,
      provider_uuid: this.failed.provider_uuid,
      tenant: this.failed.tenant,
      error: 'told to nobody',
      reason: 'ContainerExited',
      message: 'container exited unexpectedly',
      logs: { 'db/0': 'last words' },
      fail_count: 1,
      created_at,
    };
    const files = {
      retention: [
        'retention',
        [
          { key: this.kept.lease_uuid, value: JSON.stringify(record) },
          { key: this.damaged.lease_uuid, value: '{"status":"act' },
        ],
      ],
      releases: [
        'releases',
        [this.alive, this.bare].map(({ lease_uuid: key }) => ({ key, value: JSON.stringify([release]) })),
      ],
      callbacks: ['pending_callbacks', [{ key: this.owed.lease_uuid, value: JSON.stringify(callback) }]],
      diagnostics: ['failure_diagnostics', [{ key: this.failed.lease_uuid, value: JSON.stringify(failure) }]],
    } as const;
    for (const [name, [bucket, pairs]] of Object.entries(files))
      await writeFile(join(folder, `${name}.db`), boltFile(bucket, pairs));
  }
}

const bring = (...flags: readonly string[]) =>
  provider.command('import', '-from', join(provider.program.folder, 'earlier'), ...flags);

const metric = async (name: string): Promise<number> => {
  const { text } = await provider.client.call('GET', '/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1) ?? 0,
  );
};

describe('moving over from an earlier program', () => {
  it('destroys nothing until its stores are brought over, and then has everything that they promised', async () => {
    const earlier = new Earlier();
    await earlier.leave();
    const there = warehouse.volumes;
    expect(there).toHaveLength(5);
    const { program } = provider;
    await provider.run();
    await provider.restart('SIGKILL');
    expect(program.output).toContain('nothing is destroyed');
    const refusals =
      'fred_docker_backend_volume_destroy_refused_total{site="orphan_gc",reason="claims_unreadable"}';
    // At the start, and again at the next look.
    await waitFor('several looks for volumes of nobody', async () => (await metric(refusals)) >= 4, {
      timeoutMs: 60_000,
      evidence: () => program.output,
    });
    const stranger = await warehouse.running();
    expect(await warehouse.close(stranger)).toMatchObject({ status: 'deprovisioned', retained: true });
    expect(warehouse.volumes).toEqual([...there, keptOf(stranger)].sort());
    expect(
      refused(await provider.client.restore(warehouse.lease(), earlier.kept.lease_uuid)).status,
      'its record is not known yet',
    ).toBe(422);

    await program.stop();
    const shown = await bring('-dry-run');
    expect(shown.stdout).toContain('retention: 2 would be brought over');
    await provider.run();
    expect(program.output, 'to look is not to do').toContain('nothing is destroyed');
    await program.stop();

    const done = await bring();
    expect([done.code, done.stderr], 'one value cannot be read').toEqual([1, '']);
    expect(done.stdout).toContain('retention: 1 brought over');
    expect(done.stdout).toContain(`retention ${earlier.damaged.lease_uuid} cannot be read`);
    await provider.run();
    expect(program.output).not.toContain('nothing is destroyed');
    expect(warehouse.volumes).toEqual(
      [...there, keptOf(stranger)].filter((name) => name !== volumeOf(earlier.orphan)).sort(),
    );
    await promised(earlier, stranger);
  });
});

/** Should the store be lost, what came from the earlier program is found again like everything else. */
async function secondWitness({ kept, damaged }: Earlier): Promise<void> {
  const { program } = provider;
  const store = join(program.folder, 'retention.db');
  await program.stop();
  await rename(store, `${store}.aside`);
  const { stdout, code } = await provider.command('recover', '-dry-run');
  expect(stdout).toContain(`lease ${kept.lease_uuid} of ${kept.tenant}: 1 volumes, from its copy`);
  expect(stdout).toContain(`${keptOf(damaged)}: nothing says whose it is`);
  expect(code).toBe(1);
  await rename(`${store}.aside`, store);
  for (const end of ['-wal', '-shm']) await rm(`${store}${end}`, { force: true });
  await provider.run();
}

async function promised(earlier: Earlier, stranger: NewLease): Promise<void> {
  const { desk, host, program } = provider;
  const client = () => provider.client;
  expect(await desk.next(earlier.owed.lease_uuid)).toMatchObject({ status: 'deprovisioned', retained: true });
  expect(accepted(await client().provisionOf(earlier.failed.lease_uuid))).toMatchObject({
    status: 'failed',
    reason: 'ContainerExited',
  });
  expect(accepted(await client().retentions()).retentions.map(({ lease_uuid: uuid }) => uuid)).toEqual(
    [earlier.kept, earlier.damaged, stranger].map(({ lease_uuid: uuid }) => uuid).sort(),
  );
  // What ran is the lease's that it was, and can be worked with.
  accepted(await client().restart(earlier.alive.lease_uuid));
  expect(await desk.next(earlier.alive.lease_uuid)).toMatchObject({ status: 'success' });
  expect((await warehouse.shell(earlier.alive, 'cat /data/file')).out).toBe(
    `data of ${volumeOf(earlier.alive)}`,
  );
  expect(await warehouse.close(earlier.alive)).toMatchObject({ status: 'deprovisioned', retained: true });
  await secondWitness(earlier);
  // What was kept comes back byte by byte.
  const again = await warehouse.restored(earlier.kept);
  expect((await warehouse.shell(again, 'cat /data/file')).out).toBe(`data of ${keptOf(earlier.kept)}`);
  await warehouse.close(again);
  // What is in doubt stays, whatever looks at it.
  await provider.restart('SIGKILL');
  for (const name of [keptOf(earlier.damaged), volumeOf(earlier.bare)])
    expect(readFileSync(warehouse.onDisk(name, 'data', 'file'), 'utf8')).toBe(`data of ${name}\n`);
  expect(await host.docker('ps', '--all', '--quiet', '--filter', `name=${earlier.alive.lease_uuid}`)).toBe(
    '',
  );
  expect(program.output).not.toContain('nothing is destroyed');
}
