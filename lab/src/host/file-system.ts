/** A file system of its own kind on a host: in a file, mounted where only the host sees it. */
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Argv } from '../tools/run.ts';
import type { Host } from './host.ts';

export interface FileSystemSpec {
  /** Unique on the host. */
  readonly name: string;
  readonly type: 'btrfs' | 'xfs';
  readonly sizeMb: number;
  readonly mountOptions?: readonly string[];
}

export interface FileSystem extends AsyncDisposable {
  /** Where the host sees it mounted; the engine and its containers see it there, too. */
  readonly path: string;
  /** The same from outside the host. */
  readonly pathFromOutside: string;
}

const make: Readonly<Record<FileSystemSpec['type'], Argv>> = {
  btrfs: ['mkfs.btrfs', '--quiet', '--force'],
  xfs: ['mkfs.xfs', '-q', '-f'],
};

/** Makes and mounts it; on btrfs with quotas switched on. Ends with the host, or when it is disposed of. */
export async function makeFileSystem(host: Host, spec: FileSystemSpec): Promise<FileSystem> {
  const folder = join(host.stateFolder, 'file-systems');
  const path = join(folder, spec.name);
  const file = `${path}.image`;
  await mkdir(path, { recursive: true });
  await writeFile(file, '');
  await truncate(file, spec.sizeMb * 1024 * 1024);
  await host.must([...make[spec.type], file]);
  // The kernel takes the loop device back with the mount, so that it cannot outlive the host.
  await host.must(['mount', '-o', ['loop', ...(spec.mountOptions ?? [])].join(','), file, path]);
  if (spec.type === 'btrfs') await host.must(['btrfs', 'quota', 'enable', path]);
  return {
    path,
    pathFromOutside: host.path(path),
    async [Symbol.asyncDispose]() {
      await host.must(['umount', '--lazy', path]);
      await rm(path, { recursive: true, force: true });
      await rm(file, { force: true });
    },
  };
}
