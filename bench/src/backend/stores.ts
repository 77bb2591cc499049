/** What the stores cost: a durable commit beside the bare system call that makes anything durable, and a page of kept data. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CallbackStore,
  type DiagnosticsEntry,
  DiagnosticsStore,
  type PendingCallback,
  ReleaseStore,
  type RetentionRecord,
  RetentionStore,
  type StoreFile,
} from '@berth/backend';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { timingRow } from '../harness/bench-case.ts';
import { measure, measureInTurns } from '../harness/measure.ts';
import { leaseParts, uuidOf } from './leases.ts';

const recordOf = (lease: string, n: number): RetentionRecord => ({
  original_lease_uuid: lease,
  tenant: `tenant-${n % 500}`,
  provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
  items: [{ sku: 'small', quantity: 1, service_name: 'db', disk_mb: 1024 }],
  stack_manifest: {
    services: { db: { image: 'registry.example/db:16', env: { SETTINGS: 'x'.repeat(1500) } } },
  },
  callback_url: 'https://provider.example/callbacks/provision',
  retained_volume_names: [`fred-retained-${lease}-db-0`],
  status: 'active',
  generation: 0,
  created_at: new Date(1.75e12 + n * 1000).toISOString(),
});

interface Commits {
  readonly store: { readonly file: StoreFile };
  readonly bytes: number;
  readonly commit: (n: number) => void;
}

/** What each of the four stores writes when something happens to a lease, and as how many bytes it is given that. */
function commits(folder: string): Readonly<Record<string, Commits>> {
  const path = (name: string): string => join(folder, `${name}.db`);
  const at = new Date(1.75e12).toISOString();
  const callbacks = new CallbackStore(path('callbacks'));
  const diagnostics = new DiagnosticsStore(path('diagnostics'));
  const releases = new ReleaseStore(path('releases'));
  const retention = new RetentionStore(path('retention'));
  const told = (lease: string): PendingCallback => ({
    lease_uuid: lease,
    callback_url: 'https://provider.example/callbacks/provision',
    status: 'success',
    backend: 'docker',
    created_at: at,
  });
  const failure = (lease: string): DiagnosticsEntry => ({
    lease_uuid: lease,
    provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
    tenant: 'tenant',
    error: 'exit code 1',
    reason: 'Crashed',
    message: 'container exited unexpectedly',
    logs: { 'web/0': 'a line of output\n'.repeat(100) },
    fail_count: 1,
    created_at: at,
  });
  const { manifest } = leaseParts(uuidOf(0));
  const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
  return {
    callbacks: {
      store: callbacks,
      bytes: sizeOf(told(uuidOf(0))),
      commit: (n) => callbacks.put(told(uuidOf(n))),
    },
    diagnostics: {
      store: diagnostics,
      bytes: sizeOf(failure(uuidOf(0))),
      commit: (n) => diagnostics.put(failure(uuidOf(n))),
    },
    releases: {
      store: releases,
      bytes: manifest.length,
      commit: (n) =>
        releases.file.transaction(() =>
          releases.apply(
            uuidOf(n),
            [
              { kind: 'append', version: 1, manifest },
              { kind: 'activate', version: 1 },
            ],
            1.75e12,
          ),
        ),
    },
    retention: {
      store: retention,
      bytes: sizeOf(recordOf(uuidOf(0), 0)),
      commit: (n) => void retention.putActiveMerged(recordOf(uuidOf(n), n)),
    },
  };
}

export const storesCommit: BenchCase = {
  name: 'stores-commit',
  about:
    'A record in each of the stores, durable on disk; beside appending as many bytes to a file and fdatasync.',
  unit: 'ms a commit; the last rows: times the bare operations, at the median',
  needsRoot: false,
  async run({ scope, quick }) {
    const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
    scope.defer(() => rmSync(folder, { recursive: true, force: true }));
    const fd = openSync(join(folder, 'log'), 'a');
    scope.defer(() => closeSync(fd));
    const [rows, ratios]: [Row[], Row[]] = [[], []];
    for (const [work, { store, bytes, commit }] of Object.entries(commits(folder))) {
      scope.defer(() => store.file.close());
      const data = Buffer.alloc(bytes, 'x');
      const { ours, bare } = await measureInTurns({ rounds: quick ? 50 : 1000 }, commit, () => {
        writeSync(fd, data);
        fdatasyncSync(fd);
      });
      rows.push(timingRow(work, 'berth', ours));
      rows.push(timingRow(`${bytes} bytes`, 'append and fdatasync', bare));
      ratios.push({ work, by: 'berth / bare', figures: { p50: ours.p50 / bare.p50 } });
    }
    return [...rows, ...ratios];
  },
};

/** What others do on the machine meanwhile does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export const storesPage: BenchCase = {
  name: 'stores-page',
  about: 'A page of 1,000 kept leases out of many, in any state; beside reading every record for each page.',
  unit: 'ms a page',
  needsRoot: false,
  async run({ scope, quick, say }) {
    const rows: Row[] = [];
    for (const count of quick ? [1000, 10_000] : [1000, 10_000, 100_000]) {
      await using part = scope.child(`${count} records`);
      const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
      part.defer(() => rmSync(folder, { recursive: true, force: true }));
      const store = new RetentionStore(join(folder, 'retention.db'));
      part.defer(() => store.file.close());
      say(`storing ${count} records`);
      store.file.transaction(() => {
        for (let n = 0; n < count; n++) store.adoptWithin(uuidOf(n), recordOf(uuidOf(n), n));
      });
      let cursor = '';
      const rounds = quick ? 50 : 1000;
      const page = (): void => {
        const { keys, next } = store.page(cursor, 1000);
        JSON.stringify({ retentions: keys.map((key) => ({ lease_uuid: key })), continue: next });
        cursor = next ?? '';
      };
      const ours = await measure({ rounds, withinMs: 60_000 }, page);
      const worked = await measure({ rounds, withinMs: 60_000, now: processorMs }, page);
      const all = await measure({ rounds: quick ? 5 : 10, withinMs: 60_000 }, () => {
        JSON.stringify(
          store
            .withStatus('active')
            .slice(0, 1000)
            .map(({ key }) => key),
        );
      });
      const work = `1000 of ${count} records`;
      rows.push(timingRow(work, 'berth, ordered index', ours));
      rows.push(timingRow(work, 'berth, time of the processor', worked));
      rows.push(timingRow(work, 'reading all of them', all));
    }
    return rows;
  },
};
