/** A table of JSON values by key. A value that cannot be read is told of and kept; it never hides the others. */
import type { StatementSync } from 'node:sqlite';
import type { StoreFile } from './store-file.ts';

interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

export interface Listing<T> {
  readonly entries: readonly Entry<T>[];
  /** Keys of values that could not be read. */
  readonly unreadable: readonly string[];
}

export interface Page {
  readonly keys: readonly string[];
  /** The cursor of the next page; absent on the last one. */
  readonly next?: string;
}

export const jsonTableSchema = (table: string): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX IF NOT EXISTS ${table}_by_age ON ${table} (created_at)`;

export class JsonTable<T> {
  readonly #decode: (value: unknown) => T;
  readonly #put: StatementSync;
  readonly #putAbsent: StatementSync;
  readonly #get: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteExactly: StatementSync;
  readonly #deleteOlder: StatementSync;
  readonly #all: StatementSync;
  readonly #page: StatementSync;

  /** `decode` throws when the value is not what it should be. */
  constructor(file: StoreFile, table: string, decode: (value: unknown) => T) {
    this.#decode = decode;
    this.#put = file.prepare(`INSERT OR REPLACE INTO ${table} (key, value, created_at) VALUES (?, ?, ?)`);
    this.#putAbsent = file.prepare(
      `INSERT OR IGNORE INTO ${table} (key, value, created_at) VALUES (?, ?, ?)`,
    );
    this.#get = file.prepare(`SELECT value FROM ${table} WHERE key = ?`);
    this.#delete = file.prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#deleteExactly = file.prepare(`DELETE FROM ${table} WHERE key = ? AND value = ?`);
    this.#deleteOlder = file.prepare(`DELETE FROM ${table} WHERE created_at < ?`);
    this.#all = file.prepare(`SELECT key, value FROM ${table} ORDER BY key`);
    this.#page = file.prepare(`SELECT key FROM ${table} WHERE key > ? ORDER BY key LIMIT ?`);
  }

  put(key: string, value: T, createdAtMs: number): void {
    this.#put.run(key, JSON.stringify(value), createdAtMs);
  }

  /** Keeps a text under a key that is free, as it is; false when the key is taken. */
  putAbsent(key: string, text: string, createdAtMs: number): boolean {
    return Number(this.#putAbsent.run(key, text, createdAtMs).changes) > 0;
  }

  /** Throws when the value is there and cannot be read: that is not the same as absence. */
  get(key: string): T | undefined {
    const row = this.#get.get(key);
    return row === undefined ? undefined : this.#decode(JSON.parse(String(row['value'])));
  }

  delete(key: string): boolean {
    return Number(this.#delete.run(key).changes) > 0;
  }

  /** Removes the value only if it is this one. */
  deleteExactly(key: string, value: T): void {
    this.#deleteExactly.run(key, JSON.stringify(value));
  }

  /** How many were older than that. */
  deleteOlderThan(createdAtMs: number): number {
    return Number(this.#deleteOlder.run(createdAtMs).changes);
  }

  list(): Listing<T> {
    const entries: Entry<T>[] = [];
    const unreadable: string[] = [];
    for (const row of this.#all.iterate()) {
      const key = String(row['key']);
      try {
        entries.push({ key, value: this.#decode(JSON.parse(String(row['value']))) });
      } catch {
        unreadable.push(key);
      }
    }
    return { entries, unreadable };
  }

  /** Keys in ascending order of their bytes, strictly after the cursor, without reading a value; `limit` 0: all. */
  page(after: string, limit: number): Page {
    const keys = this.#page.all(after, limit === 0 ? -1 : limit + 1).map((row) => String(row['key']));
    if (limit === 0 || keys.length <= limit) return { keys };
    const page = keys.slice(0, limit);
    const next = page.at(-1);
    return next === undefined ? { keys: page } : { keys: page, next };
  }
}
