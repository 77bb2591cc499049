/** Directories that stand for volumes: looking, renaming for good. */
import { closeSync, fsync, openSync } from 'node:fs';
import { lstat, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { filesystemErrors } from './errors.ts';

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Is there a directory? Something else under that name is an error, and so is not being able to look. */
export async function directoryExists(path: string): Promise<boolean> {
  const stat = await lstat(path).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (stat !== undefined && !stat.isDirectory()) {
    throw filesystemErrors.error('NOT_A_VOLUME', `${path} is not a directory`, { details: { path } });
  }
  return stat !== undefined;
}

const sync = promisify(fsync);

/** Makes the entries of a directory durable. Only that can take long: to open it is a look into memory. */
export async function syncDirectory(path: string): Promise<void> {
  const folder = openSync(path, 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** What a rename has to do, given what exists. */
export type RenameVerdict = 'rename' | 'done';

export function judgeRename(from: string, to: string, fromExists: boolean, toExists: boolean): RenameVerdict {
  if (fromExists && toExists) {
    throw filesystemErrors.error('VOLUME_EXISTS', `cannot rename ${from} to ${to}: both exist`, {
      details: { from, to },
    });
  }
  if (!fromExists && !toExists) {
    throw filesystemErrors.error('VOLUME_MISSING', `cannot rename ${from} to ${to}: neither exists`, {
      details: { from, to },
    });
  }
  return fromExists ? 'rename' : 'done';
}

/** A plain rename that is on disk when it returns; also when an earlier try got as far as the rename and no further. */
export async function renameDurably(from: string, to: string): Promise<void> {
  const [fromExists, toExists] = await Promise.all([directoryExists(from), directoryExists(to)]);
  if (judgeRename(from, to, fromExists, toExists) === 'rename') await rename(from, to);
  await syncDirectory(dirname(to));
}
