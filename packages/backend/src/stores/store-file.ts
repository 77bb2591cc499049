/** One SQLite file: owned by one process, durable on commit, readable by others (and by a backup) while we run. */
import { chmodSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import { errors } from '../errors.ts';

/** How long opening waits for a process that is just about to end. */
const lockWaitMs = 5000;

/**
 * How long the log may grow before it is worked into the file: the same pages are changed again and again, and are moved once. It
 * has no bearing on what is durable; reading it at the next start takes a fraction of a second.
 */
const logPages = 8000;
const logBytes = logPages * 4096;

export interface StoreFileOptions {
  /** What it is called in messages: `callback`, `diagnostics`, ... */
  readonly name: string;
  readonly path: string;
  /** Creates what is missing; runs at every opening. */
  readonly schema: string;
  readonly lockWaitMs?: number;
}

export class StoreFile {
  readonly name: string;
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #owner: DatabaseSync;
  readonly #probe: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  private constructor(options: StoreFileOptions, db: DatabaseSync, owner: DatabaseSync) {
    this.name = options.name;
    this.path = options.path;
    this.#db = db;
    this.#owner = owner;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#probe = db.prepare('INSERT OR REPLACE INTO probe (id, at) VALUES (0, ?)');
  }

  static open(options: StoreFileOptions): StoreFile {
    const { name, path, schema } = options;
    if (path === '') throw errors.error('store_unusable', `the ${name} store has no path`);
    const opened: DatabaseSync[] = [];
    try {
      const file = join(realpathSync(dirname(path)), basename(path));
      const owner = new DatabaseSync(`${file}-owner`, { timeout: options.lockWaitMs ?? lockWaitMs });
      opened.push(owner);
      takeOwnership(owner);
      const db = new DatabaseSync(file);
      opened.push(db);
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
      db.exec(`PRAGMA wal_autocheckpoint = ${logPages}; PRAGMA journal_size_limit = ${logBytes}`);
      db.exec(
        `BEGIN IMMEDIATE; ${schema}; CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, at INTEGER); COMMIT`,
      );
      chmodSync(file, 0o600);
      return new StoreFile(options, db, owner);
    } catch (error) {
      for (const db of opened.reverse()) db.close();
      throw unusable(name, path, error);
    }
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** Runs `work` in one transaction: durable when this returns, without effect when it throws. */
  transaction<T>(work: () => T): T {
    this.#begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Reads and writes for the sake of it; throws when the file cannot be used (disk full, read-only, damaged). */
  check(nowMs: number): void {
    this.#probe.run(nowMs);
  }

  /** A consistent copy, taken while work goes on. */
  async backup(path: string): Promise<void> {
    await backup(this.#db, path);
    chmodSync(path, 0o600);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
    if (this.#owner.isOpen) this.#owner.close();
  }
}

/** The lock is on a file of its own, so that the data stays readable for others; the kernel frees it when we die. */
function takeOwnership(owner: DatabaseSync): void {
  owner.exec('PRAGMA locking_mode = EXCLUSIVE');
  owner.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS owner (pid INTEGER); DELETE FROM owner; COMMIT');
  owner.prepare('INSERT INTO owner (pid) VALUES (?)').run(process.pid);
}

const sqliteBusy = 5;
const sqliteNotADatabase = 26;

function unusable(name: string, path: string, error: unknown): Error {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  const context = { details: { store: name, path }, cause: error };
  if (code === sqliteBusy)
    return errors.error('store_in_use', `the ${name} store ${path} is in use by another process`, context);
  const why =
    code === sqliteNotADatabase
      ? 'it is not a store of this program (perhaps of an earlier one)'
      : error instanceof Error
        ? error.message
        : String(error);
  return errors.error('store_unusable', `the ${name} store ${path} cannot be opened: ${why}`, context);
}
