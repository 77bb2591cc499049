/** Copies of the stores, taken while the backend runs, all of one moment: what one says depends on what another does. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { syncFolder } from '@berth/service';
import { errors } from '../errors.ts';

/** Something was written while one store after the other was asked to hold still: they are asked again. */
const mostAttempts = 1000;

/** Where the copies are: all of one moment, however much is written meanwhile. */
export async function backUpStores(paths: readonly string[], folder: string): Promise<readonly string[]> {
  const present = paths.filter((path) => existsSync(path));
  if (present.length === 0) throw errors.error('backup_failed', `there is no store at ${paths.join(', ')}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const open = (path: string): DatabaseSync => new DatabaseSync(path, { readOnly: true });
  const [sources, watches] = [present.map(open), present.map(open)];
  const parts = present.map((path) => join(folder, `${basename(path)}.part`));
  try {
    holdStill(sources, watches);
    for (const [index, source] of sources.entries()) {
      const part = parts[index] ?? '';
      rmSync(part, { force: true });
      await backup(source, part);
      chmodSync(part, 0o600);
    }
    const copies = parts.map((part) => {
      const path = part.slice(0, -'.part'.length);
      renameSync(part, path);
      return path;
    });
    await syncFolder(folder);
    return copies;
  } finally {
    for (const db of [...sources, ...watches]) db.close();
    for (const part of parts) rmSync(part, { force: true });
  }
}

/** From now on the sources show what they had at one moment: each reads on in a transaction that was begun then. */
function holdStill(sources: readonly DatabaseSync[], watches: readonly DatabaseSync[]): void {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const before = watches.map(versionOf);
    for (const source of sources) {
      source.exec('BEGIN');
      // It begins with the first look.
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
    if (watches.every((watch, index) => versionOf(watch) === before[index])) return;
    for (const source of sources) source.exec('ROLLBACK');
  }
  throw errors.error('backup_failed', 'the stores change faster than they can be looked at');
}

/** Changes when somebody else commits. */
const versionOf = (db: DatabaseSync): number =>
  Number(db.prepare('PRAGMA data_version').get()?.['data_version']);
