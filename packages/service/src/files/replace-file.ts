import { constants, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface ReplaceFileOptions {
  /** Of a file that is made anew; an existing one gets it, too. */
  readonly mode?: number;
}

/**
 * Puts new content in the place of a file: whoever reads it, and whatever happens to the machine meanwhile, finds all of
 * the old content or all of the new, and when this has resolved the new one is on the disk. A file has one writer at a
 * time. What a killed writer left beside it is overwritten by the next.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o600 }: ReplaceFileOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const fresh = join(folder, `.${basename(path)}.new`);
  try {
    await writeWhole(fresh, content, mode);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** A new name is on the disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

async function writeWhole(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  // Never through a link that somebody has put there.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  await using handle = await open(path, flags, mode);
  await handle.chmod(mode);
  await handle.writeFile(content);
  await handle.sync();
}
