/** What the stores cost: a durable commit beside the bare system call that makes anything durable, and a page of kept data. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RetentionRecord, RetentionStore } from '@berth/backend';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { timingRow } from '../harness/bench-case.ts';
import { measure } from '../harness/measure.ts';
import { uuidOf } from './leases.ts';

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

export const storeCommit: BenchCase = {
  name: 'store-commit',
  about: 'A record of kept data, durable on disk; beside appending as many bytes to a file and fdatasync.',
  unit: 'ms a commit',
  needsRoot: false,
  async run({ scope, quick }) {
    const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
    scope.defer(() => rmSync(folder, { recursive: true, force: true }));
    const rounds = quick ? 50 : 1000;
    const store = new RetentionStore(join(folder, 'retention.db'));
    scope.defer(() => store.file.close());
    const bytes = Buffer.from(JSON.stringify(recordOf(uuidOf(0), 0)));
    const fd = openSync(join(folder, 'log'), 'a');
    scope.defer(() => closeSync(fd));
    const ours = await measure({ rounds, withinMs: 60_000 }, (n) => {
      store.putActiveMerged(recordOf(uuidOf(n), n));
    });
    const raw = await measure({ rounds, withinMs: 60_000 }, () => {
      writeSync(fd, bytes);
      fdatasyncSync(fd);
    });
    return [timingRow('one record', 'berth', ours), timingRow('as many bytes', 'append and fdatasync', raw)];
  },
};

export const retentionPage: BenchCase = {
  name: 'retention-page',
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
      const ours = await measure({ rounds: quick ? 50 : 500, withinMs: 60_000 }, () => {
        const { keys, next } = store.page(cursor, 1000);
        JSON.stringify({ retentions: keys.map((key) => ({ lease_uuid: key })), continue: next });
        cursor = next ?? '';
      });
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
      rows.push(timingRow(work, 'reading all of them', all));
    }
    return rows;
  },
};
