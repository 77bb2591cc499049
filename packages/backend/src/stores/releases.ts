/** The history of what each lease ran, and the lease records themselves: one file, so that both change in one transaction. */
import type { StatementSync } from 'node:sqlite';
import { type HistoryChange, stagedRelease, writeState, writeTerms } from '../lease/index.ts';
import { LeaseRows, leaseRowsSchema } from './lease-rows.ts';
import { StoreFile } from './store-file.ts';

export const releaseStatuses = ['deploying', 'active', 'superseded', 'failed'] as const;

export type ReleaseStatus = (typeof releaseStatuses)[number];

export interface Release {
  readonly version: number;
  readonly status: ReleaseStatus;
  readonly createdAtMs: number;
  readonly manifest: Uint8Array;
  readonly reason?: string;
  readonly message?: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS releases (
    lease TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    reason TEXT,
    message TEXT,
    manifest BLOB NOT NULL,
    PRIMARY KEY (lease, version)
  );
  CREATE TABLE IF NOT EXISTS unreadable_releases (lease TEXT PRIMARY KEY, value TEXT NOT NULL, put_aside_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  ${leaseRowsSchema}`;

/** The volume root that was used last, by the name that it has itself. */
export const rootFact = 'volume root';

/** Whether every volume and record has its second witness; cleared when some come that have none. */
export const witnessesFact = 'second witnesses';

/** How many releases of one lease are kept at most; the ones that something depends on stay anyway. */
const mostReleases = 100;

/** A release that something still depends on: the newest, the active one, and what waits for its first success. */
const dependedOn = `(
  r.version = ${stagedRelease} OR r.status = 'active' OR
  r.version = (SELECT max(version) FROM releases WHERE lease = r.lease)
)`;

export class ReleaseStore {
  readonly file: StoreFile;
  readonly leases: LeaseRows;
  readonly #statements: ReturnType<typeof statements>;
  /** No purge has to look for what was never there. */
  #mayHaveUnreadable: boolean;

  constructor(path: string) {
    this.file = StoreFile.open({ name: 'release', path, schema });
    this.leases = new LeaseRows(this.file);
    this.#statements = statements(this.file);
    this.#mayHaveUnreadable = this.#statements.anyUnreadable.get() !== undefined;
  }

  /** The history as it may be shown, oldest first. */
  list(lease: string): readonly Release[] {
    return this.#statements.list.all(lease).map(releaseOf);
  }

  /** The manifest of one release, or of what waits for its first success (version 0). */
  manifest(lease: string, version: number): Uint8Array | undefined {
    const row = this.#statements.manifest.get(lease, version);
    return row === undefined ? undefined : bytesOf(row['manifest']);
  }

  /** What a lease runs as far as the history knows. Throws when there is a history that nobody can read: that is not none. */
  latestActive(lease: string): Release | undefined {
    const row = this.#statements.latestActive.get(lease);
    if (row !== undefined) return releaseOf(row);
    if (this.#statements.unreadable.get(lease) === undefined) return undefined;
    throw new Error(`the release history of lease ${lease} cannot be read`);
  }

  /** The highest version that was ever shown; 0 when there is none. */
  highestVersion(lease: string): number {
    return Number(this.#statements.highest.get(lease)?.['version'] ?? 0);
  }

  /** Applies changes of the history of one lease. To be called inside a transaction. */
  apply(lease: string, changes: readonly HistoryChange[], nowMs: number): void {
    for (const change of changes) this.#apply(lease, change, nowMs);
  }

  #apply(lease: string, change: HistoryChange, nowMs: number): void {
    const run = this.#statements;
    switch (change.kind) {
      case 'stage':
        run.stage.run(lease, nowMs, change.manifest);
        return;
      case 'append':
        this.#append(lease, change.version, change.manifest, nowMs);
        if (change.version > mostReleases) run.thin.run(lease, lease);
        return;
      case 'activateStaged':
        // Before the first version there is none that could be superseded.
        if (change.version > 1) run.supersede.run(lease);
        run.promote.run(change.version, nowMs, lease);
        return;
      case 'activate':
        run.activate.run(lease, change.version);
        return;
      case 'unstage':
        run.unstage.run(lease);
        return;
      case 'fail':
        run.fail.run(change.reason, change.message, lease, change.version);
        return;
      case 'remember':
        this.leases.remember(
          lease,
          { terms: writeTerms(change.lease), state: writeState(change.lease) },
          nowMs,
        );
        return;
      case 'purge':
        run.purge.run(lease);
        if (this.#mayHaveUnreadable) run.purgeUnreadable.run(lease);
        this.leases.forgetDropped(lease);
        return;
    }
  }

  #append(
    lease: string,
    version: number,
    manifest: Uint8Array | { readonly of: number },
    nowMs: number,
  ): void {
    if (manifest instanceof Uint8Array) {
      this.#statements.insert.run(lease, version, nowMs, manifest);
      return;
    }
    const { changes } = this.#statements.copy.run(version, nowMs, lease, manifest.of);
    if (Number(changes) === 0)
      throw new Error(`lease ${lease} has no release ${manifest.of} to take the manifest of`);
  }

  /** Takes over what an earlier program has left; what is here already counts: false. To be called inside a transaction. */
  importHistory(lease: string, history: readonly Release[]): boolean {
    if (this.highestVersion(lease) > 0) return false;
    const { insertWhole } = this.#statements;
    for (const { version, status, createdAtMs, manifest, reason = null, message = null } of history)
      insertWhole.run(lease, version, status, createdAtMs, manifest, reason, message);
    return true;
  }

  /** A history that nobody can read is kept, and goes on protecting its lease. To be called inside a transaction. */
  importUnreadable(lease: string, value: string, nowMs: number): boolean {
    this.#mayHaveUnreadable = true;
    return Number(this.#statements.putUnreadable.run(lease, value, nowMs).changes) > 0;
  }

  /** Removes entries older than that, but none that something depends on. Says how many. */
  prune(olderThanMs: number): number {
    return Number(this.#statements.prune.run(olderThanMs).changes);
  }

  /** Something that is to be known again at the next start. */
  fact(name: string): string | undefined {
    const row = this.#statements.fact.get(name);
    return row === undefined ? undefined : String(row['value']);
  }

  setFact(name: string, value: string): void {
    this.#statements.setFact.run(name, value);
  }
}

function statements(file: StoreFile) {
  const prepare = (sql: string): StatementSync => file.prepare(sql);
  const shown = `SELECT r.version, r.status, r.created_at, r.reason, r.message, r.manifest FROM releases r WHERE r.lease = ? AND r.version > ${stagedRelease}`;
  return {
    list: prepare(`${shown} ORDER BY r.version`),
    latestActive: prepare(`${shown} AND r.status = 'active' ORDER BY r.version DESC LIMIT 1`),
    manifest: prepare('SELECT manifest FROM releases WHERE lease = ? AND version = ?'),
    highest: prepare('SELECT max(version) AS version FROM releases WHERE lease = ?'),
    stage: prepare(
      `INSERT OR REPLACE INTO releases (lease, version, status, created_at, manifest)
        VALUES (?, ${stagedRelease}, 'deploying', ?, ?)`,
    ),
    insert: prepare(
      `INSERT INTO releases (lease, version, status, created_at, manifest) VALUES (?, ?, 'deploying', ?, ?)`,
    ),
    copy: prepare(
      `INSERT INTO releases (lease, version, status, created_at, manifest)
        SELECT lease, ?, 'deploying', ?, manifest FROM releases WHERE lease = ? AND version = ?`,
    ),
    supersede: prepare(`UPDATE releases SET status = 'superseded' WHERE lease = ? AND status = 'active'`),
    promote: prepare(
      `UPDATE releases SET version = ?, status = 'active', created_at = ?
        WHERE lease = ? AND version = ${stagedRelease}`,
    ),
    activate: prepare(
      `UPDATE releases SET
          status = iif(version = ?2, 'active', 'superseded'),
          reason = iif(version = ?2, NULL, reason), message = iif(version = ?2, NULL, message)
        WHERE lease = ?1 AND (status = 'active' OR version = ?2)`,
    ),
    fail: prepare(
      `UPDATE releases SET status = 'failed', reason = ?, message = ? WHERE lease = ? AND version = ?`,
    ),
    purge: prepare('DELETE FROM releases WHERE lease = ?'),
    purgeUnreadable: prepare('DELETE FROM unreadable_releases WHERE lease = ?'),
    anyUnreadable: prepare('SELECT 1 FROM unreadable_releases LIMIT 1'),
    unreadable: prepare('SELECT 1 FROM unreadable_releases WHERE lease = ?'),
    putUnreadable: prepare(
      'INSERT OR IGNORE INTO unreadable_releases (lease, value, put_aside_at) VALUES (?, ?, ?)',
    ),
    insertWhole: prepare(
      `INSERT OR REPLACE INTO releases (lease, version, status, created_at, manifest, reason, message)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    prune: prepare(`DELETE FROM releases AS r WHERE r.created_at < ? AND NOT ${dependedOn}`),
    thin: prepare(
      `DELETE FROM releases AS r WHERE r.lease = ? AND NOT ${dependedOn} AND r.version <=
        (SELECT version FROM releases WHERE lease = ? ORDER BY version DESC LIMIT 1 OFFSET ${mostReleases})`,
    ),
    unstage: prepare(`DELETE FROM releases WHERE lease = ? AND version = ${stagedRelease}`),
    fact: prepare('SELECT value FROM facts WHERE name = ?'),
    setFact: prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)'),
  };
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('a stored manifest is no BLOB');
  return value;
}

function releaseOf(row: Record<string, unknown>): Release {
  const { version, status, created_at: createdAt, reason, message, manifest } = row;
  return {
    version: Number(version),
    status: String(status) as ReleaseStatus,
    createdAtMs: Number(createdAt),
    manifest: bytesOf(manifest),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof message === 'string' && { message }),
  };
}
