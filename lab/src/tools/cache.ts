/** Things that take long to make and can be kept: complete or absent, made by one process at a time. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withLock } from './lock.ts';
import { must } from './run.ts';

const repository = join(import.meta.dirname, '..', '..', '..');

export const cacheFolder = (): string =>
  resolve(process.env['BERTH_CACHE'] ?? join(repository, '.cache', 'lab'));

/**
 * The path of the kept thing, made first if it is not there. `make` writes to the path that it is given (a file or a
 * folder); only when it has finished does the thing get its name, so a maker that was killed leaves nothing that looks
 * complete. The key has to change when the content would.
 */
export async function kept(
  key: string,
  make: (path: string) => Promise<void>,
  say: (line: string) => void,
): Promise<string> {
  const folder = cacheFolder();
  const path = join(folder, key);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  return withLock(
    path,
    async () => {
      if (existsSync(path)) return path;
      await removeLeftovers(folder, key);
      const work = await mkdtemp(join(folder, `${leftoverPrefix(key)}`));
      const made = join(work, 'made');
      try {
        await make(made);
        // Or a machine that loses power now has the name, but not the content.
        await must(['sync', '--file-system', made]);
        await rename(made, path);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
      return path;
    },
    () => say(`waiting for another run that is making ${key}`),
  );
}

const leftoverPrefix = (key: string): string => `.making-${key}-`;

/** What a killed maker left; nobody else is at it, since we hold the lock. */
async function removeLeftovers(folder: string, key: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(leftoverPrefix(key))) await rm(join(folder, name), { recursive: true, force: true });
  }
}
