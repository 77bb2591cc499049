/** Folders that an image has made for its user to write to: they have to be writable although the image itself is not. */
import { posix } from 'node:path';
import { tarEntries } from '../archive/index.ts';
import type { RunAs } from '../stack/index.ts';
import { isWithin } from '../volumes/index.ts';
import type { OpenImage } from './image-files.ts';

const parents = ['/var/lib', '/var/log', '/var/run', '/var/cache', '/data', '/home', '/opt', '/srv'] as const;

const mostPaths = 4;
/** How much of an archive is looked at: there is no other way to list a folder of an image. */
const mostEntries = 500;

/** In the order of their parents; none that a declared volume covers. */
export async function writablePaths(
  image: Pick<OpenImage, 'archive'>,
  runAs: RunAs,
  volumes: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const parent of parents) {
    if (found.length >= mostPaths) break;
    await image.archive(parent, async (archive) => {
      for (const path of await foldersIn(parent, archive, runAs))
        if (found.length < mostPaths && !isWithin(path, volumes)) found.push(path);
    });
  }
  return found;
}

/** Directly below the parent, and owned by the user; for an image that runs as root: by anybody else. */
async function foldersIn(
  parent: string,
  archive: AsyncIterable<Uint8Array>,
  runAs: RunAs,
): Promise<readonly string[]> {
  const found: string[] = [];
  let looked = 0;
  for await (const { name, type, uid } of tarEntries(archive)) {
    if (++looked > mostEntries) break;
    const names = posix.normalize(name).replace(/\/+$/, '').split('/');
    const isOwned = runAs.uid === 0 ? uid !== 0 : uid === runAs.uid;
    if (type === 'directory' && names.length === 2 && isOwned) found.push(`${parent}/${names[1]}`);
  }
  return found;
}
