/** Copies of the stores, taken while the backend runs: of one moment, as far as what depends on another goes. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { errors } from '../errors.ts';

/** Something was written between two of the copies: they are taken again. */
const mostAttempts = 20;

/** Where the copies are. Each file is whole; that all are of one moment is tried for until it is so. */
export async function backUpStores(paths: readonly string[], folder: string): Promise<readonly string[]> {
  const present = paths.filter((path) => existsSync(path));
  if (present.length === 0) throw errors.error('backup_failed', `there is no store at ${paths.join(', ')}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sources = present.map((path) => new DatabaseSync(path, { readOnly: true }));
  const parts = present.map((path) => join(folder, `${basename(path)}.part`));
  try {
    for (let attempt = 0; ; attempt++) {
      const before = sources.map(versionOf);
      for (const [index, source] of sources.entries()) {
        const part = parts[index] ?? '';
        rmSync(part, { force: true });
        await backup(source, part);
        chmodSync(part, 0o600);
      }
      if (sources.every((source, index) => versionOf(source) === before[index])) break;
      if (attempt === mostAttempts)
        throw errors.error('backup_failed', 'the stores change faster than they can be copied');
    }
    return parts.map((part) => {
      const path = part.slice(0, -'.part'.length);
      renameSync(part, path);
      return path;
    });
  } finally {
    for (const source of sources) source.close();
    for (const part of parts) rmSync(part, { force: true });
  }
}

/** Changes when another process commits. */
const versionOf = (db: DatabaseSync): number =>
  Number(db.prepare('PRAGMA data_version').get()?.['data_version']);
