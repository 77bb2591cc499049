import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../cli/index.ts';
import { type VolumeName, volumeName } from '../names/index.ts';
import { recordCopies } from '../retention/index.ts';
import { ReleaseStore, RetentionStore } from '../stores/index.ts';
import { leaseId } from '../testing/leases.ts';
import { storeFolder } from '../testing/store-folder.ts';
import type { VolumeOwner } from '../volumes/index.ts';
import { findLost } from './recover.ts';

class Bench implements Disposable {
  readonly folder = storeFolder();
  readonly path = this.folder.path;

  constructor() {
    const store = (name: string): string => `${name}_db_path: ${this.path(`${name}.db`)}\n`;
    writeFileSync(
      this.path('backend.yaml'),
      `sku_profiles: {small: {cpu_cores: 1, memory_mb: 64}}\ncallback_secret: "at-least-thirty-two-characters-long"\nhost_address: 203.0.113.10\n${['callback', 'diagnostics', 'releases', 'retention'].map(store).join('')}`,
    );
  }

  async run(...argv: readonly string[]) {
    const said = { out: '', err: '' };
    const code = await runCommandLine([...argv, '-config', this.path('backend.yaml')], {
      env: {},
      build: { version: '1', commit: '' },
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      serve: async () => 0,
    });
    return { code, ...said };
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

describe('docker-backend backup', () => {
  it('copies the stores while they are written to without a pause, and the copies are of one moment', async () => {
    using bench = new Bench();
    const releases = new ReleaseStore(bench.path('releases.db'));
    const retention = new RetentionStore(bench.path('retention.db'));
    retention.adopt(leaseId(1), record(leaseId(1)));
    let [written, writing] = [0, true];
    const writer = (async () => {
      while (writing) {
        releases.setFact('written', String(++written));
        retention.learn(`fact ${written}`, written);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const { code, out, err } = await bench.run('backup', '-to', bench.path('copies'));
    writing = false;
    await writer;
    expect([code, err]).toEqual([0, '']);
    expect(out.trim().split('\n')).toEqual(
      ['releases.db', 'retention.db'].map((name) => bench.path(`copies/${name}`)),
    );
    releases.file.close();
    retention.file.close();
    const copied = new ReleaseStore(bench.path('copies/releases.db'));
    const copy = new RetentionStore(bench.path('copies/retention.db'));
    expect(copy.get(leaseId(1))?.tenant).toBe('t');
    const last = Number(copied.fact('written'));
    expect(last, 'it was written on').toBeLessThan(written);
    expect([copy.knows(`fact ${last}`), copy.knows(`fact ${last + 1}`)]).toEqual([true, false]);
    copied.file.close();
    copy.file.close();
  });

  it('says so when there is nothing to copy', async () => {
    using bench = new Bench();
    expect(await bench.run('backup', '-to', bench.path('copies'))).toMatchObject({ code: 1 });
  });
});

describe('docker-backend import', () => {
  it('says what it would do, and then does it', async () => {
    using bench = new Bench();
    mkdirSync(bench.path('old'));
    for (const name of ['callbacks', 'diagnostics', 'releases', 'retention'])
      writeFileSync(
        bench.path(`old/${name}.db`),
        gunzipSync(readFileSync(`${dirname(import.meta.dirname)}/import/fixtures/${name}.db.gz`)),
      );
    const dry = await bench.run('import', '-from', bench.path('old'), '-dry-run');
    expect(dry).toEqual({
      code: 0,
      err: '',
      out: 'retention: 40 would be brought over\nreleases: 3 would be brought over\ncallbacks: 2 would be brought over\ndiagnostics: 1 would be brought over\n',
    });
    const done = await bench.run('import', '-from', bench.path('old'));
    expect([done.code, done.err]).toEqual([0, '']);
    expect(done.out).toContain('retention: 40 brought over, 0 were there already');
    const store = new RetentionStore(bench.path('retention.db'));
    expect(store.page('', 0).keys).toHaveLength(40);
    store.file.close();
    expect((await bench.run('import', '-from', bench.path('nowhere'))).code).toBe(1);
  });

  it('is what an earlier program’s store in the place of ours asks for', async () => {
    using bench = new Bench();
    const fixture = join(dirname(import.meta.dirname), 'import', 'fixtures', 'retention.db.gz');
    const bolt = gunzipSync(readFileSync(fixture));
    writeFileSync(bench.path('retention.db'), bolt);
    const { code, err } = await bench.run('recover');
    expect([code, err]).toEqual([1, expect.stringContaining('run `docker-backend import -from`')]);
    expect(readFileSync(bench.path('retention.db')).equals(bolt), 'it is left as it is').toBe(true);
  });

  it('says which file it cannot read', async () => {
    using bench = new Bench();
    mkdirSync(bench.path('old'));
    writeFileSync(bench.path('old/retention.db'), '');
    const { code, err } = await bench.run('import', '-from', bench.path('old'));
    expect([code, err]).toEqual([1, expect.stringContaining('old/retention.db')]);
  });
});

describe('docker-backend recover', () => {
  const kept = [
    volumeName(`fred-retained-${leaseId(1)}-db-0`),
    volumeName(`fred-retained-${leaseId(1)}-db-1`),
  ];
  const owner: VolumeOwner = {
    backend: 'docker',
    lease: leaseId(1),
    tenant: 't',
    provider: 'p',
    service: 'db',
    index: 0,
    sku: 'small',
    sizeMb: 20,
    createdAtMs: 0,
  };
  const volumes = (owners: readonly (VolumeOwner | undefined)[]) => ({
    list: async () => [...kept, volumeName(`fred-${leaseId(2)}-db-0`)],
    ownerOf: async (name: VolumeName) => owners[kept.indexOf(name)],
  });

  it('makes a record of what is written on the volumes, when nothing else is left', async () => {
    using folder = storeFolder();
    const store = new RetentionStore(folder.path('retention.db'));
    const copies = recordCopies(undefined);
    const both = volumes([owner, { ...owner, index: 1 }]);
    const { found, unknown } = await findLost(store, both, copies, 'docker', 5);
    expect(unknown).toEqual([]);
    expect(found).toMatchObject([
      {
        from: 'labels',
        record: {
          original_lease_uuid: leaseId(1),
          tenant: 't',
          items: [{ sku: 'small', quantity: 2, service_name: 'db', disk_mb: 20 }],
          retained_volume_names: kept,
          status: 'active',
        },
      },
    ]);
    const half = await findLost(store, volumes([owner, undefined]), copies, 'docker', 5);
    expect([half.found, half.unknown]).toEqual([[], kept]);
    const others = await findLost(store, both, copies, 'another', 5);
    expect([others.found, others.unknown], 'another backend made them').toEqual([[], kept]);
    store.file.close();
  });

  it('decides nothing where it sees no kept volume: the disk may not be mounted', async () => {
    using bench = new Bench();
    expect(await bench.run('recover')).toMatchObject({ code: 0, err: '' });
    expect(await bench.run('recover', '-new-root')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no volume_data_path'),
    });
    const store = new RetentionStore(bench.path('retention.db'));
    expect(store.knows('imported')).toBe(false);
    store.file.close();
  });

  it('takes the whole record from its copy beside the data', async () => {
    using folder = storeFolder();
    const copies = recordCopies(folder.path(''));
    await copies.keep({ ...record(leaseId(1)), status: 'restoring', new_lease_uuid: leaseId(9) });
    const store = new RetentionStore(folder.path('retention.db'));
    const { found } = await findLost(store, volumes([undefined, undefined]), copies, 'docker', 5);
    expect(found).toMatchObject([
      {
        from: 'copy',
        record: { status: 'active', stack_manifest: { services: {} }, created_at: '2026-01-01T00:00:00Z' },
      },
    ]);
    store.adopt(leaseId(1), record(leaseId(1)));
    expect((await findLost(store, volumes([]), copies, 'docker', 5)).found, 'it is known').toEqual([]);
    await copies.drop(leaseId(1));
    expect(await copies.read(leaseId(1))).toBeUndefined();
    store.file.close();
  });
});

const record = (lease: string) => ({
  original_lease_uuid: lease,
  tenant: 't',
  provider_uuid: 'p',
  items: [],
  stack_manifest: { services: {} },
  callback_url: '',
  retained_volume_names: [],
  status: 'active' as const,
  generation: 0,
  created_at: '2026-01-01T00:00:00Z',
});
