/** The file in an xfs volume that says which project id its quota hangs on. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './directory.ts';

const markerName = '.fred-project-id';
const highestId = 2 ** 32 - 1;

export type Marker =
  | { readonly state: 'present'; readonly id: number }
  | { readonly state: 'absent' }
  | { readonly state: 'unusable'; readonly why: string };

export async function readMarker(volume: string): Promise<Marker> {
  try {
    await using file = await open(
      join(volume, markerName),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > 32) return { state: 'unusable', why: 'it is not a small regular file' };
    const text = (await file.readFile('utf8')).trim();
    const id = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (id === 0 || id > highestId) return { state: 'unusable', why: `it says ${JSON.stringify(text)}` };
    return { state: 'present', id };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { state: 'absent' };
    return { state: 'unusable', why: String(error) };
  }
}

/** In a directory that was just made: nothing is there to be overwritten. On disk when it returns. */
export async function writeMarker(volume: string, id: number): Promise<void> {
  await using file = await open(join(volume, markerName), 'wx', 0o600);
  await file.writeFile(`${id}\n`);
  await file.sync();
}
