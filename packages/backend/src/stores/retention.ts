/**
 * The records of kept data, by the id of the closed lease, and the closes that are under way. Every transition is one
 * transaction that looks at the record as it is; what the rows say beside the record itself (state, new lease, disk) is
 * written with it, and still says what is protected and counted when the record cannot be read.
 */
import type { StatementSync } from 'node:sqlite';
import { isoTime } from '@berth/service';
import type { Page } from './json-table.ts';
import {
  type CloseIntent,
  createdAtMs,
  decodeIntent,
  decodeRecord,
  footprintMb,
  type RetentionRecord,
  type RetentionStatus,
} from './retention-record.ts';
import { StoreFile } from './store-file.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS retention (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    tenant TEXT NOT NULL,
    partition TEXT NOT NULL,
    new_lease TEXT NOT NULL,
    disk_mb INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS retention_of_tenant ON retention (tenant, status, created_at, key);
  CREATE INDEX IF NOT EXISTS retention_by_status ON retention (status, created_at, key);
  CREATE INDEX IF NOT EXISTS retention_sums ON retention (status, tenant, partition, disk_mb);
  CREATE INDEX IF NOT EXISTS retention_by_new_lease ON retention (new_lease) WHERE new_lease <> '';
  CREATE TABLE IF NOT EXISTS closing (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS known (fact TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID`;

/** A record as it stands in the store; `record` is absent when it cannot be read. */
export interface Kept {
  readonly key: string;
  readonly status: RetentionStatus;
  readonly newLease: string;
  readonly diskMb: number;
  readonly record?: RetentionRecord;
}

export interface RetentionTotals {
  readonly activeLeases: number;
  readonly activeMb: number;
  readonly reapingLeases: number;
  readonly reapingMb: number;
  /** Distinct pairs of tenant and partition. */
  readonly partitions: number;
  /** By the new lease: what a restore under way has on disk. */
  readonly restoringMb: ReadonlyMap<string, number>;
}

export type Claimed = RetentionRecord | 'no_retention' | 'not_restorable';

export class RetentionStore {
  readonly file: StoreFile;
  readonly #run: ReturnType<typeof statements>;

  constructor(path: string) {
    this.file = StoreFile.open({ name: 'retention', path, schema });
    this.#run = statements(this.file);
  }

  /** Throws when the record is there and cannot be read: then nothing is known, which is not the same as absence. */
  get(lease: string): RetentionRecord | undefined {
    const kept = this.kept(lease);
    if (kept === undefined || kept.record !== undefined) return kept?.record;
    throw new Error(`the retention record of lease ${lease} cannot be read`);
  }

  kept(lease: string): Kept | undefined {
    const row = this.#run.get.get(lease);
    return row === undefined ? undefined : keptOf(row);
  }

  /** Ids in ascending order of their bytes, strictly after the cursor, in all states; `limit` 0: all. No record is read. */
  page(after: string, limit: number): Page {
    const keys = this.#run.page.all(after, limit === 0 ? -1 : limit + 1).map((row) => String(row['key']));
    if (limit === 0 || keys.length <= limit) return { keys };
    const page = keys.slice(0, limit);
    return { keys: page, next: page.at(-1) ?? '' };
  }

  withStatus(status: RetentionStatus): readonly Kept[] {
    return this.#run.withStatus.all(status).map(keptOf);
  }

  /** Of one tenant, the oldest first; the same age by id. */
  ofTenant(tenant: string, status: RetentionStatus): readonly Kept[] {
    return this.#run.ofTenant.all(tenant, status).map(keptOf);
  }

  /** The restores into this lease. */
  restoringInto(newLease: string): readonly Kept[] {
    return newLease === '' ? [] : this.#run.intoLease.all(newLease).map(keptOf);
  }

  totals(): RetentionTotals {
    const byStatus = new Map(
      this.#run.sums.all().map((row) => [String(row['status']), [Number(row['n']), Number(row['mb'])]]),
    );
    const [activeLeases = 0, activeMb = 0] = byStatus.get('active') ?? [];
    const [reapingLeases = 0, reapingMb = 0] = byStatus.get('reaping') ?? [];
    const restoringMb = new Map<string, number>();
    for (const { new_lease: newLease, disk_mb: diskMb } of this.#run.restoring.all())
      restoringMb.set(String(newLease), (restoringMb.get(String(newLease)) ?? 0) + Number(diskMb));
    const partitions = Number(this.#run.partitions.get()?.['n'] ?? 0);
    return { activeLeases, activeMb, reapingLeases, reapingMb, partitions, restoringMb };
  }

  /** Disk of the active records, of all or of one tenant or partition. */
  activeMb(of: { readonly tenant?: string; readonly partition?: string } = {}): number {
    const { tenant, partition } = of;
    const row =
      tenant === undefined
        ? this.#run.activeMb.get()
        : partition === undefined
          ? this.#run.activeMbOfTenant.get(tenant)
          : this.#run.activeMbOfPartition.get(tenant, partition);
    return Number(row?.['mb'] ?? 0);
  }

  /** Partitions of a tenant that have data, kept or being restored. */
  partitionsOf(tenant: string): ReadonlySet<string> {
    return new Set(this.#run.partitionsOf.all(tenant).map((row) => String(row['partition'])));
  }

  /**
   * Makes or completes the record of a close. A repeated close keeps the clock and the generation, adds names, and never
   * trades a manifest for none. A tombstone of an earlier life of the lease gives way; a restore does not: false.
   */
  putActiveMerged(base: RetentionRecord): boolean {
    return this.file.transaction(() => {
      const stored = this.get(base.original_lease_uuid);
      if (stored === undefined || stored.status === 'reaping') {
        this.#write({ ...base, status: 'active', generation: stored?.generation ?? base.generation });
        return true;
      }
      if (stored.status !== 'active') return false;
      const withoutManifest = base.stack_manifest === null || base.stack_manifest === undefined;
      this.#write({
        ...stored,
        ...base,
        created_at: stored.created_at,
        generation: stored.generation,
        retained_volume_names: union(stored.retained_volume_names, base.retained_volume_names),
        ...(withoutManifest && {
          stack_manifest: stored.stack_manifest ?? null,
          partition: stored.partition ?? '',
        }),
      });
      return true;
    });
  }

  /** Writes down data that was given up. False when another record counts it already. */
  putReaping(base: RetentionRecord, nowMs: number): boolean {
    return this.file.transaction(() => {
      const kept = this.kept(base.original_lease_uuid);
      if (kept !== undefined && (kept.status !== 'reaping' || kept.record === undefined)) return false;
      const stored = kept?.record;
      this.#write(
        stored === undefined
          ? { ...base, status: 'reaping', reaping_since: isoTime(nowMs) }
          : {
              ...stored,
              retained_volume_names: union(stored.retained_volume_names, base.retained_volume_names),
            },
      );
      return true;
    });
  }

  /** From here the data belongs to the restore into that lease. */
  claimForRestore(lease: string, newLease: string, maxAgeMs: number, nowMs: number): Claimed {
    return this.file.transaction(() => {
      const stored = this.get(lease);
      if (stored === undefined) return 'no_retention';
      if (stored.status !== 'active') return 'not_restorable';
      if (maxAgeMs > 0 && nowMs - createdAtMs(stored) >= maxAgeMs) return 'no_retention';
      const claimed: RetentionRecord = {
        ...stored,
        status: 'restoring',
        new_lease_uuid: newLease,
        restoring_since: isoTime(nowMs),
        generation: stored.generation + 1,
      };
      this.#write(claimed);
      return claimed;
    });
  }

  revertToActive(lease: string, generation: number): boolean {
    return this.#change(lease, (stored) => {
      if (stored.status !== 'restoring' || stored.generation !== generation) return undefined;
      const { new_lease_uuid: _, restoring_since: __, ...rest } = stored;
      return { ...rest, status: 'active', generation: generation + 1 };
    });
  }

  markReapingIfActive(lease: string, nowMs: number): boolean {
    return this.#change(lease, (stored) => (stored.status === 'active' ? reaping(stored, nowMs) : undefined));
  }

  markReapingIfExpired(lease: string, maxAgeMs: number, nowMs: number): boolean {
    return this.#change(lease, (stored) =>
      maxAgeMs > 0 && stored.status === 'active' && nowMs - createdAtMs(stored) >= maxAgeMs
        ? reaping(stored, nowMs)
        : undefined,
    );
  }

  /** Active records that are older than that. */
  expired(maxAgeMs: number, nowMs: number): readonly string[] {
    return this.#run.expired.all(nowMs - maxAgeMs).map((row) => String(row['key']));
  }

  deleteIfActive(lease: string): boolean {
    return this.#deleteIf(lease, 'active');
  }

  /** The data is gone. A record that has become another one meanwhile stays. */
  deleteReaped(lease: string): boolean {
    return this.#deleteIf(lease, 'reaping');
  }

  /** The data belongs to the new lease now. */
  deleteRestored(lease: string, generation: number): boolean {
    return this.file.transaction(() => {
      const stored = this.get(lease);
      if (stored?.status !== 'restoring' || stored.generation !== generation) return false;
      return Number(this.#run.deleteIf.run(lease, 'restoring').changes) > 0;
    });
  }

  /** The close of a lease that is under way. Throws when it cannot be read. */
  intent(lease: string): CloseIntent | undefined {
    const row = this.#run.intent.get(lease);
    return row === undefined ? undefined : decodeIntent(JSON.parse(String(row['value'])));
  }

  isClosing(lease: string): boolean {
    return this.#run.intent.get(lease) !== undefined;
  }

  closing(): readonly string[] {
    return this.#run.intents.all().map((row) => String(row['key']));
  }

  putIntent(intent: CloseIntent): void {
    this.file.transaction(() => this.#run.putIntent.run(intent.lease_uuid, JSON.stringify(intent)));
  }

  deleteIntent(lease: string): void {
    this.file.transaction(() => this.#run.deleteIntent.run(lease));
  }

  /** Has this store ever been told so? */
  knows(fact: string): boolean {
    return this.#run.known.get(fact) !== undefined;
  }

  learn(fact: string, nowMs: number): void {
    this.#run.learn.run(fact, nowMs);
  }

  /** Writes a record as it is: what an earlier program has left. Nothing that is there already is touched. */
  adopt(key: string, record: RetentionRecord): boolean {
    return this.file.transaction(() => this.adoptWithin(key, record));
  }

  /** As `adopt`, to be called inside a transaction. */
  adoptWithin(key: string, record: RetentionRecord): boolean {
    if (this.kept(key) !== undefined) return false;
    this.#write({ ...record, original_lease_uuid: key });
    return true;
  }

  /** Keeps a record that nobody can read; it goes on protecting what its lease has. To be called inside a transaction. */
  adoptRaw(key: string, text: string, nowMs: number): boolean {
    if (this.kept(key) !== undefined) return false;
    this.#run.put.run(key, text, nowMs, 'active', '', '', '', 0);
    return true;
  }

  #deleteIf(lease: string, status: RetentionStatus): boolean {
    return this.file.transaction(() => Number(this.#run.deleteIf.run(lease, status).changes) > 0);
  }

  #change(lease: string, make: (stored: RetentionRecord) => RetentionRecord | undefined): boolean {
    return this.file.transaction(() => {
      const stored = this.get(lease);
      const next = stored && make(stored);
      if (next === undefined) return false;
      this.#write(next);
      return true;
    });
  }

  #write(record: RetentionRecord): void {
    const { original_lease_uuid: key, status, tenant, partition = '', items } = record;
    const newLease = status === 'restoring' ? (record.new_lease_uuid ?? '') : '';
    const value = JSON.stringify(record);
    const ageMs = createdAtMs(record);
    this.#run.put.run(key, value, ageMs, status, tenant, partition, newLease, footprintMb(items));
    if (!this.knows('records')) this.learn('records', ageMs);
  }
}

const reaping = (stored: RetentionRecord, nowMs: number): RetentionRecord => ({
  ...stored,
  status: 'reaping',
  reaping_since: isoTime(nowMs),
});

const union = (first: readonly string[], second: readonly string[]): string[] => [
  ...new Set([...first, ...second]),
];

function keptOf(row: Record<string, unknown>): Kept {
  const key = String(row['key']);
  const kept = {
    key,
    status: String(row['status']) as RetentionStatus,
    newLease: String(row['new_lease']),
    diskMb: Number(row['disk_mb']),
  };
  try {
    // The key counts: a record may carry another id than the one under which it is kept.
    return {
      ...kept,
      record: { ...decodeRecord(JSON.parse(String(row['value']))), original_lease_uuid: key },
    };
  } catch {
    return kept;
  }
}

function statements(file: StoreFile) {
  const prepare = (sql: string): StatementSync => file.prepare(sql);
  const row = 'SELECT key, value, status, new_lease, disk_mb FROM retention';
  const mb = 'SELECT coalesce(sum(disk_mb), 0) AS mb FROM retention';
  return {
    get: prepare(`${row} WHERE key = ?`),
    page: prepare('SELECT key FROM retention WHERE key > ? ORDER BY key LIMIT ?'),
    withStatus: prepare(`${row} WHERE status = ? ORDER BY created_at, key`),
    ofTenant: prepare(`${row} WHERE tenant = ? AND status = ? ORDER BY created_at, key`),
    intoLease: prepare(`${row} WHERE new_lease = ? AND new_lease <> '' ORDER BY key`),
    sums: prepare('SELECT status, count(*) AS n, sum(disk_mb) AS mb FROM retention GROUP BY status'),
    restoring: prepare(`SELECT new_lease, disk_mb FROM retention WHERE status = 'restoring'`),
    partitions: prepare(
      `SELECT count(*) AS n FROM (SELECT DISTINCT tenant, partition FROM retention
        WHERE partition <> '' AND status IN ('active', 'restoring'))`,
    ),
    partitionsOf: prepare(
      `SELECT DISTINCT partition FROM retention
        WHERE tenant = ? AND partition <> '' AND status IN ('active', 'restoring')`,
    ),
    activeMb: prepare(`${mb} WHERE status = 'active'`),
    activeMbOfTenant: prepare(`${mb} WHERE tenant = ? AND status = 'active'`),
    activeMbOfPartition: prepare(`${mb} WHERE tenant = ? AND status = 'active' AND partition = ?`),
    expired: prepare(
      `SELECT key FROM retention WHERE status = 'active' AND created_at <= ? ORDER BY created_at, key`,
    ),
    put: prepare(
      `INSERT OR REPLACE INTO retention (key, value, created_at, status, tenant, partition, new_lease, disk_mb)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteIf: prepare('DELETE FROM retention WHERE key = ? AND status = ?'),
    intent: prepare('SELECT value FROM closing WHERE key = ?'),
    intents: prepare('SELECT key FROM closing ORDER BY key'),
    putIntent: prepare('INSERT OR REPLACE INTO closing (key, value) VALUES (?, ?)'),
    deleteIntent: prepare('DELETE FROM closing WHERE key = ?'),
    known: prepare('SELECT 1 FROM known WHERE fact = ?'),
    learn: prepare('INSERT OR IGNORE INTO known (fact, at) VALUES (?, ?)'),
  };
}
