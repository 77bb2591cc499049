/** A text on a directory, in the attributes that only the host's root can read and write. */
import { constants } from 'node:os';
import { expectSuccess, linux } from '../sys/index.ts';
import { syncDirectory } from './directory.ts';

const attribute = 'trusted.berth.volume';
/** More than any label has, and what every one of the file systems can hold. */
const longest = 4096;

export function readLabel(path: string): string | undefined {
  const into = new Uint8Array(longest);
  const length = linux.lgetxattr(path, attribute, into);
  if (length === -constants.errno.ENODATA) return undefined;
  expectSuccess(length, () => `cannot read the label of ${path}`, { path });
  return Buffer.from(into.subarray(0, length)).toString('utf8');
}

/** Not on disk yet when it returns. */
export function putLabel(path: string, label: string): void {
  const value = Buffer.from(label, 'utf8');
  expectSuccess(linux.lsetxattr(path, attribute, value), () => `cannot label ${path}`, { path });
}

/** On disk when it resolves. */
export async function writeLabel(path: string, label: string): Promise<void> {
  putLabel(path, label);
  await syncDirectory(path);
}
