import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { volumeName } from '../names/index.ts';
import { RetentionClaims, reasonToHold } from '../retention/index.ts';
import { CallbackStore, DiagnosticsStore, ReleaseStore, RetentionStore } from '../stores/index.ts';
import { boltFile } from '../testing/bolt-writer.ts';
import { leaseId } from '../testing/leases.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { bringOver, findUpstream } from './import.ts';

const catalogue = {
  profiles: new Map([['small', { cpuCores: 1, memoryMb: 1, diskMb: 100 }]]),
  mapping: new Map<string, string>(),
};
const nowMs = Date.UTC(2026, 8, 1);

class Bench implements Disposable {
  readonly folder = storeFolder();
  readonly stores = {
    callbacks: new CallbackStore(this.folder.path('new-callbacks.db')),
    diagnostics: new DiagnosticsStore(this.folder.path('new-diagnostics.db')),
    releases: new ReleaseStore(this.folder.path('new-releases.db')),
    retention: new RetentionStore(this.folder.path('new-retention.db')),
  };

  get from(): string {
    return this.folder.path('');
  }

  /** What bbolt itself has written. */
  withFixtures(): this {
    for (const name of ['callbacks.db', 'diagnostics.db', 'releases.db', 'retention.db'])
      writeFileSync(
        this.folder.path(name),
        gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.gz`))),
      );
    return this;
  }

  bring() {
    return bringOver(findUpstream(this.from), this.stores, catalogue, nowMs);
  }

  [Symbol.dispose](): void {
    for (const { file } of Object.values(this.stores)) file.close();
    this.folder[Symbol.dispose]();
  }
}

describe('moving over from an earlier program', () => {
  it('brings over everything that its own files hold', () => {
    using bench = new Bench().withFixtures();
    const { stores } = bench;
    const none = { present: 0, unreadable: [] };
    expect(bench.bring()).toEqual({
      callbacks: { written: 2, ...none },
      diagnostics: { written: 1, ...none },
      releases: { written: 3, ...none },
      retention: { written: 40, ...none },
    });
    expect(stores.callbacks.list().entries.map(({ value }) => [value.lease_uuid, value.status])).toEqual([
      [leaseId(0), 'success'],
      [leaseId(1), 'deprovisioned'],
    ]);
    expect(stores.callbacks.list().entries.map(({ value }) => value.error)).not.toContain('');
    expect(stores.diagnostics.get(leaseId(0))).toMatchObject({
      fail_count: 3,
      message: 'container exited unexpectedly',
    });
    expect(stores.diagnostics.get(leaseId(0))?.logs['web/0']).toHaveLength(9800);
    const active = stores.releases.latestActive(leaseId(2));
    expect([active?.version, new TextDecoder().decode(active?.manifest)]).toEqual([
      2,
      '{"services":{"db":{"image":"docker.io/library/db:2"}}}',
    ]);
    expect(stores.releases.list(leaseId(2)).map(({ status }) => status)).toEqual(['superseded', 'active']);
    expect(stores.retention.get(leaseId(7))).toMatchObject({
      status: 'active',
      generation: 1,
      created_at: '2026-08-01T00:00:00.123456789Z',
      retained_volume_names: [`fred-retained-${leaseId(7)}-db-0`],
      items: [{ sku: 'small', quantity: 1, service_name: 'db', disk_mb: 100 }],
    });
    expect(stores.retention.totals()).toMatchObject({
      activeMb: 3800,
      reapingMb: 100,
      restoringMb: new Map([[leaseId(500), 100]]),
    });
  });

  it('changes nothing when it is done again, and never what is newer here', () => {
    using bench = new Bench().withFixtures();
    const { retention, releases } = bench.stores;
    bench.bring();
    retention.markReapingIfActive(leaseId(7), nowMs);
    releases.file.transaction(() => releases.apply(leaseId(2), [{ kind: 'purge' }], nowMs));
    const again = bench.bring();
    expect([again.retention, again.callbacks.written, again.releases.written]).toEqual([
      { written: 0, present: 40, unreadable: [] },
      0,
      1,
    ]);
    expect(retention.get(leaseId(7))?.status).toBe('reaping');
  });

  it('keeps what cannot be read, and lets it protect its lease', () => {
    using bench = new Bench();
    const broken = [
      { key: leaseId(1), value: '{"status":"active"' },
      { key: leaseId(2), value: '{"status":"melting"}' },
    ];
    writeFileSync(bench.folder.path('retention.db'), boltFile('retention', broken));
    writeFileSync(bench.folder.path('releases.db'), boltFile('releases', broken));
    const report = bench.bring();
    expect(report.retention).toEqual({ written: 0, present: 0, unreadable: [leaseId(1), leaseId(2)] });
    const { retention, releases } = bench.stores;
    const claims = new RetentionClaims(retention);
    expect(claims.claimOf(volumeName(`fred-${leaseId(1)}-db-0`))).toMatchObject({ lease: leaseId(1) });
    expect(claims.claimOf(volumeName(`fred-retained-${leaseId(2)}-x-3`))).toMatchObject({
      lease: leaseId(2),
    });
    expect(retention.page('', 0).keys).toEqual([leaseId(1), leaseId(2)]);
    expect(() => releases.latestActive(leaseId(1)), 'in doubt it has one').toThrow();
    expect(releases.latestActive(leaseId(3))).toBeUndefined();
  });

  it('owes a callback as it will be read: without an empty reason, and with what it comes to', () => {
    using bench = new Bench();
    const entry = (n: number, more: object) => ({
      key: leaseId(n),
      value: JSON.stringify({
        lease_uuid: leaseId(n),
        callback_url: 'http://127.0.0.1/c',
        backend: 'docker',
        created_at: '2026-08-01T00:00:00Z',
        ...more,
      }),
    });
    const entries = [
      entry(1, { status: 'success', success: true, error: '' }),
      entry(2, { status: 'failed', success: false, error: 'restore failed' }),
      entry(3, { success: true }),
      entry(4, { success: false, error: 'x' }),
    ];
    writeFileSync(bench.folder.path('callbacks.db'), boltFile('pending_callbacks', entries));
    bench.bring();
    expect(bench.stores.callbacks.list().entries.map(({ value }) => [value.status, value.error])).toEqual([
      ['success', undefined],
      ['failed', 'restore failed'],
      ['success', undefined],
      ['failed', 'x'],
    ]);
  });

  it('is waited for: until then nothing is destroyed', async () => {
    using bench = new Bench().withFixtures();
    const { retention } = bench.stores;
    const disk = {
      list: async () => [
        volumeName(`fred-retained-${leaseId(7)}-db-0`),
        volumeName(`fred-${leaseId(9)}-db-0`),
      ],
    };
    expect(await reasonToHold(retention, { list: async () => [] }, nowMs)).toBeUndefined();
    expect(await reasonToHold(retention, disk, nowMs)).toMatch(/1 volumes of closed leases/);
    const { items: _, ...record } = { ...recordOf(leaseId(8)), items: [] };
    retention.adopt(leaseId(8), { ...record, items: [] });
    expect(await reasonToHold(retention, disk, nowMs), 'also when it has records of its own').toBeDefined();
    bench.bring();
    expect(await reasonToHold(retention, disk, nowMs)).toBeUndefined();
  });

  it('says what is wrong with a folder without such files, or with a damaged one', () => {
    using bench = new Bench();
    expect(() => findUpstream(bench.from)).toThrow(/there is none of callbacks.db/);
    writeFileSync(bench.folder.path('releases.db'), 'SQLite format 3\0');
    expect(() => findUpstream(bench.from)).toThrow(/releases.db: .*no file of an earlier program/);
  });
});

const recordOf = (lease: string) => ({
  original_lease_uuid: lease,
  tenant: 't',
  provider_uuid: 'p',
  items: [],
  callback_url: '',
  retained_volume_names: [],
  status: 'active' as const,
  generation: 0,
  created_at: '2026-01-01T00:00:00Z',
});
