/** A provider who puts this program in the place of an earlier one: nothing is destroyed before, and nothing is lost after. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boltFile } from '@berth/backend/testing/bolt-writer';
import { type FileSystem, makeFileSystem } from '@berth/lab';
import { accepted, type NewLease, Provider, refused } from '@berth/lab/provider';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushVolumeImages, volumeImage } from '../src/volume-images.ts';

let disk: FileSystem;
let provider: Provider;

beforeAll(async () => {
  const host = (await lab()).host();
  disk = await makeFileSystem(host, { name: `import-${process.pid}`, type: 'btrfs', sizeMb: 512 });
  provider = await Provider.open(host, {
    disk,
    config: {
      retain_on_close: true,
      retention_reap_interval: '1s',
      startup_verify_duration: '300ms',
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
const volumeOf = (lease: string): string => `fred-${lease}-db-0`;
const keptOf = (lease: string): string => `fred-retained-${lease}-db-0`;
const volumes = (): readonly string[] =>
  readdirSync(disk.pathFromOutside)
    .filter((name) => name.startsWith('fred-'))
    .sort();
const inside = (lease: string, line: string): Promise<string> =>
  provider.host.docker('exec', volumeOf(lease), 'sh', '-c', line);

/** As the earlier program has left it: its names, its labels, and nothing of ours on the disk or in a store. */
class Earlier {
  readonly tenant = `manifest1${provider.id}`;
  /** Closed and kept. */
  readonly kept = randomUUID();
  /** Kept as well, and its record is damaged. */
  readonly damaged = randomUUID();
  /** Runs. */
  readonly alive = randomUUID();
  /** Its container was removed by somebody; its release is all that speaks for its data. */
  readonly bare = randomUUID();
  /** Nobody's. */
  readonly orphan = randomUUID();
  /** Closed, and its provider has not heard of it. */
  readonly owed = randomUUID();
  /** It failed, and nothing is left of it but the reason. */
  readonly failed = randomUUID();

  async leave(): Promise<void> {
    const { host, program } = provider;
    await program.stop();
    for (const name of readdirSync(program.folder))
      if (/\.db/.test(name)) await rm(join(program.folder, name), { force: true });
    for (const name of readdirSync(disk.pathFromOutside))
      await rm(join(disk.pathFromOutside, name), { force: true, recursive: true });
    const { kept, damaged, alive, bare, orphan } = this;
    const all = [keptOf(kept), keptOf(damaged), volumeOf(alive), volumeOf(bare), volumeOf(orphan)];
    for (const name of all) {
      await host.must(['btrfs', 'subvolume', 'create', join(disk.path, name)]);
      await host.must(['mkdir', join(disk.path, name, 'data')]);
      await writeFile(join(disk.pathFromOutside, name, 'data', 'file'), `data of ${name}\n`);
    }
    const labels = {
      managed: 'true',
      backend_name: provider.id,
      lease_uuid: alive,
      tenant: this.tenant,
      provider_uuid: provider.uuid,
      sku: 'data',
      service_name: 'db',
      instance_index: '0',
      created_at: '2026-01-02T03:04:05Z',
      callback_url: provider.desk.url,
    };
    const marks = Object.entries(labels).flatMap(([key, value]) => ['--label', `fred.${key}=${value}`]);
    const bind = ['--volume', `${join(disk.path, volumeOf(alive), 'data')}:/data`];
    await host.docker('pull', volumeImage('data'));
    await host.docker(
      ...['run', '--detach', '--name', volumeOf(alive), ...marks, ...bind],
      ...[volumeImage('data'), 'sh', '-c', stays],
    );
    await this.#stores();
  }

  async #stores(): Promise<void> {
    const folder = join(provider.program.folder, 'earlier');
    await mkdir(folder);
    const created_at = new Date().toISOString();
    const text = JSON.stringify(manifest);
    const record = {
      original_lease_uuid: this.kept,
      tenant: this.tenant,
      provider_uuid: provider.uuid,
      items,
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
      lease_uuid: this.owed,
      callback_url: provider.desk.url,
      success: true,
      status: 'deprovisioned',
      backend: provider.id,
      error: '',
      retained: true,
      created_at,
    };
    const failure = {
      lease_uuid: this.failed,
      provider_uuid: provider.uuid,
      tenant: this.tenant,
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
          { key: this.kept, value: JSON.stringify(record) },
          { key: this.damaged, value: '{"status":"act' },
        ],
      ],
      releases: [
        'releases',
        [this.alive, this.bare].map((key) => ({ key, value: JSON.stringify([release]) })),
      ],
      callbacks: ['pending_callbacks', [{ key: this.owed, value: JSON.stringify(callback) }]],
      diagnostics: ['failure_diagnostics', [{ key: this.failed, value: JSON.stringify(failure) }]],
    } as const;
    for (const [name, [bucket, pairs]] of Object.entries(files))
      await writeFile(join(folder, `${name}.db`), boltFile(bucket, pairs));
  }
}

const main = join(import.meta.dirname, '..', '..', 'packages', 'backend', 'src', 'main.ts');
const bring = (...flags: readonly string[]) => {
  const { configFile, folder } = provider.program;
  const from = join(folder, 'earlier');
  return provider.host.exec([
    process.execPath,
    main,
    'import',
    '-from',
    from,
    ...flags,
    '-config',
    configFile,
  ]);
};

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

async function close(lease: string) {
  accepted(await provider.client.deprovision(lease));
  return await provider.desk.next(lease);
}

describe('moving over from an earlier program', () => {
  it('destroys nothing until its stores are brought over, and then has everything that they promised', async () => {
    const earlier = new Earlier();
    await earlier.leave();
    const there = volumes();
    expect(there).toHaveLength(5);
    const { program } = provider;
    await provider.run();
    await provider.restart('SIGKILL');
    expect(program.output).toContain('nothing is destroyed');
    const refusals =
      'fred_docker_backend_volume_destroy_refused_total{site="orphan_gc",reason="claims_unreadable"}';
    // At the start, and again at the next look.
    await waitFor('several looks for volumes of nobody', async () => (await metric(refusals)) >= 4, {
      timeoutMs: 30_000,
      evidence: () => program.output,
    });
    const stranger = await provider.provisioned(provider.lease(items), manifest);
    expect(await close(stranger.lease_uuid)).toMatchObject({ status: 'deprovisioned', retained: true });
    expect(volumes()).toEqual([...there, keptOf(stranger.lease_uuid)].sort());
    expect(
      refused(await provider.client.restore(provider.lease(items), earlier.kept)).status,
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
    expect(done.stdout).toContain(`retention ${earlier.damaged} cannot be read`);
    await provider.run();
    expect(program.output).not.toContain('nothing is destroyed');
    expect(volumes()).toEqual(
      [...there, keptOf(stranger.lease_uuid)].filter((name) => name !== volumeOf(earlier.orphan)).sort(),
    );
    await promised(earlier, stranger);
  }, 180_000);
});

/** Should the store be lost, what came from the earlier program is found again like everything else. */
async function secondWitness({ kept, damaged, tenant }: Earlier): Promise<void> {
  const { program, host } = provider;
  const store = join(program.folder, 'retention.db');
  await program.stop();
  await rename(store, `${store}.aside`);
  const flags = ['-dry-run', '-config', program.configFile];
  const { stdout, code } = await host.exec([process.execPath, main, 'recover', ...flags]);
  expect(stdout).toContain(`lease ${kept} of ${tenant}: 1 volumes, from its copy`);
  expect(stdout).toContain(`${keptOf(damaged)}: nothing says whose it is`);
  expect(code).toBe(1);
  await rename(`${store}.aside`, store);
  for (const end of ['-wal', '-shm']) await rm(`${store}${end}`, { force: true });
  await provider.run();
}

async function promised(earlier: Earlier, stranger: NewLease): Promise<void> {
  const { desk, host, program } = provider;
  const client = () => provider.client;
  expect(await desk.next(earlier.owed)).toMatchObject({ status: 'deprovisioned', retained: true });
  expect(accepted(await client().provisionOf(earlier.failed))).toMatchObject({
    status: 'failed',
    reason: 'ContainerExited',
  });
  expect(accepted(await client().retentions()).retentions.map(({ lease_uuid: uuid }) => uuid)).toEqual(
    [earlier.kept, earlier.damaged, stranger.lease_uuid].sort(),
  );
  // What ran is the lease's that it was, and can be worked with.
  accepted(await client().restart(earlier.alive));
  expect(await desk.next(earlier.alive)).toMatchObject({ status: 'success' });
  expect(await inside(earlier.alive, 'cat /data/file')).toContain(`data of ${volumeOf(earlier.alive)}`);
  expect(await close(earlier.alive)).toMatchObject({ status: 'deprovisioned', retained: true });
  await secondWitness(earlier);
  // What was kept comes back byte by byte.
  const again = provider.lease(items);
  accepted(await client().restore(again, earlier.kept));
  expect(await desk.next(again.lease_uuid)).toMatchObject({ status: 'success' });
  expect(await inside(again.lease_uuid, 'cat /data/file')).toContain(`data of ${keptOf(earlier.kept)}`);
  await close(again.lease_uuid);
  // What is in doubt stays, whatever looks at it.
  await provider.restart('SIGKILL');
  for (const name of [keptOf(earlier.damaged), volumeOf(earlier.bare)])
    expect(readFileSync(join(disk.pathFromOutside, name, 'data', 'file'), 'utf8')).toBe(`data of ${name}\n`);
  expect(await host.docker('ps', '--all', '--quiet', '--filter', `name=${earlier.alive}`)).toBe('');
  expect(program.output).not.toContain('nothing is destroyed');
}
