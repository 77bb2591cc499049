/** What is written down of each lease: its terms, its state, what its caller is owed. In the file of the release history. */
import type { StatementSync } from 'node:sqlite';
import type { WrittenLease } from '../lease/index.ts';
import type { StoreFile } from './store-file.ts';

/** As it was written; reading it is the caller's matter. */
export interface LeaseRow {
  readonly uuid: string;
  /** Both are absent when the lease has ended, and only its last callback is left. */
  readonly terms?: string;
  readonly state?: string;
  readonly owed?: string;
}

/** Terms are written rarely, and are the larger part: so that a transition writes little, they have a table of their own. */
export const leaseRowsSchema = `
  CREATE TABLE IF NOT EXISTS lease_terms (uuid TEXT PRIMARY KEY, terms TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease_states (uuid TEXT PRIMARY KEY, state TEXT, owed TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dropped_leases (
    uuid TEXT PRIMARY KEY, terms TEXT NOT NULL, state TEXT NOT NULL, dropped_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unreadable_leases (
    uuid TEXT NOT NULL, put_aside_at INTEGER NOT NULL, terms TEXT, state TEXT, owed TEXT
  )`;

const whole = `lease_terms AS t FULL JOIN lease_states AS s ON s.uuid = t.uuid`;

export class LeaseRows {
  readonly #statements: ReturnType<typeof statements>;
  /** No purge has to look for what was never there. */
  #mayHaveDropped: boolean;

  constructor(file: StoreFile) {
    this.#statements = statements(file);
    this.#mayHaveDropped = this.#statements.anyDropped.get() !== undefined;
  }

  /** Every one, by its id. */
  *all(): Generator<LeaseRow> {
    for (const { uuid, terms, state, owed } of this.#statements.all.iterate())
      yield {
        uuid: String(uuid),
        ...(typeof terms === 'string' && { terms }),
        ...(typeof state === 'string' && { state }),
        ...(typeof owed === 'string' && { owed }),
      };
  }

  /** To be called inside a transaction, like everything here that writes. */
  putTerms(uuid: string, terms: string): void {
    this.#statements.putTerms.run(uuid, terms);
  }

  putState(uuid: string, state: string, owed: string | undefined): void {
    this.#statements.putState.run(uuid, state, owed ?? null);
  }

  /** The lease has ended; what its caller is owed stays. */
  end(uuid: string, owed: string | undefined): void {
    this.#statements.dropTerms.run(uuid);
    if (owed === undefined) this.#statements.dropState.run(uuid);
    else this.#statements.putState.run(uuid, null, owed);
  }

  /** The caller is owed nothing any more. */
  settle(uuid: string): void {
    const { changes } = this.#statements.settle.run(uuid);
    if (Number(changes) === 0) this.#statements.dropEmpty.run(uuid);
  }

  /** Keeps what cannot be read where nothing overwrites it. */
  putAside(uuid: string, nowMs: number): void {
    this.#statements.putAside.run(nowMs, uuid);
  }

  /** Remembers a lease that ends without a close. */
  remember(uuid: string, { terms, state }: WrittenLease, nowMs: number): void {
    this.#mayHaveDropped = true;
    this.#statements.remember.run(uuid, terms, state, nowMs);
  }

  /** What was last known of a lease that ended without a close, as it was written; undefined when there is none. */
  dropped(uuid: string): WrittenLease | undefined {
    const row = this.#statements.dropped.get(uuid);
    return row === undefined ? undefined : { terms: String(row['terms']), state: String(row['state']) };
  }

  /** All of those. */
  *allDropped(): Generator<WrittenLease & { readonly uuid: string }> {
    for (const { uuid, terms, state } of this.#statements.allDropped.iterate())
      yield { uuid: String(uuid), terms: String(terms), state: String(state) };
  }

  forgetDropped(uuid: string): void {
    if (this.#mayHaveDropped) this.#statements.forgetDropped.run(uuid);
  }
}

function statements(file: StoreFile) {
  const prepare = (sql: string): StatementSync => file.prepare(sql);
  return {
    all: prepare(
      `SELECT coalesce(t.uuid, s.uuid) AS uuid, t.terms, s.state, s.owed FROM ${whole} ORDER BY coalesce(t.uuid, s.uuid)`,
    ),
    putTerms: prepare(
      'INSERT INTO lease_terms (uuid, terms) VALUES (?, ?) ON CONFLICT DO UPDATE SET terms = excluded.terms',
    ),
    putState: prepare(
      `INSERT INTO lease_states (uuid, state, owed) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET state = excluded.state, owed = excluded.owed`,
    ),
    dropTerms: prepare('DELETE FROM lease_terms WHERE uuid = ?'),
    dropState: prepare('DELETE FROM lease_states WHERE uuid = ?'),
    settle: prepare('UPDATE lease_states SET owed = NULL WHERE uuid = ? AND state IS NOT NULL'),
    dropEmpty: prepare('DELETE FROM lease_states WHERE uuid = ? AND state IS NULL'),
    putAside: prepare(
      `INSERT INTO unreadable_leases (uuid, put_aside_at, terms, state, owed)
        SELECT coalesce(t.uuid, s.uuid), ?, t.terms, s.state, s.owed FROM ${whole} WHERE coalesce(t.uuid, s.uuid) = ?`,
    ),
    remember: prepare(
      'INSERT OR REPLACE INTO dropped_leases (uuid, terms, state, dropped_at) VALUES (?, ?, ?, ?)',
    ),
    dropped: prepare('SELECT terms, state FROM dropped_leases WHERE uuid = ?'),
    allDropped: prepare('SELECT uuid, terms, state FROM dropped_leases'),
    anyDropped: prepare('SELECT 1 FROM dropped_leases LIMIT 1'),
    forgetDropped: prepare('DELETE FROM dropped_leases WHERE uuid = ?'),
  };
}
