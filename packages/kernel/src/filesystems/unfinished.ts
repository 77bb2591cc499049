/** Volumes that are being made have another name, which is nobody's volume: a crash in the middle leaves no half of one. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const prefix = '.making-';

export const unfinishedPath = (root: string, name: string): string => join(root, `${prefix}${name}`);

/** What earlier processes began and did not end. No tenant has ever had any of it. */
export async function unfinishedPaths(root: string): Promise<readonly string[]> {
  const names = await readdir(root);
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(root, name));
}
