/** Which of the quota file systems lies under a path, seen from the disk and not from the configuration. */
import { statfs } from 'node:fs/promises';
import { filesystemErrors } from './errors.ts';
import type { QuotaKind } from './quota-volumes.ts';

const magics: ReadonlyMap<number, QuotaKind> = new Map([
  [0x9123683e, 'btrfs'],
  [0x58465342, 'xfs'],
  [0x2fc12fc1, 'zfs'],
]);

export interface Probed {
  readonly kind: QuotaKind;
  /** Size of the whole file system, root's reserve included. */
  readonly totalBytes: number;
}

/** `wanted` is what the configuration says; empty means: whatever is there. */
export async function probeRoot(root: string, wanted: QuotaKind | '' = ''): Promise<Probed> {
  const stat = await statfs(root).catch((cause: unknown) => {
    throw filesystemErrors.error(
      'ROOT_UNREADABLE',
      `the volume root ${root} cannot be probed: ${String(cause)}`,
      { cause },
    );
  });
  // Node hands the kernel's long through as a signed number on some file systems.
  const magic = stat.type >>> 0;
  const kind = magics.get(magic);
  if (kind === undefined) {
    throw filesystemErrors.error(
      'ROOT_UNSUPPORTED',
      `the volume root ${root} lies on a file system with magic 0x${magic.toString(16).toUpperCase()}; supported are btrfs, xfs and zfs`,
    );
  }
  if (wanted !== '' && wanted !== kind) {
    throw filesystemErrors.error(
      'ROOT_MISMATCH',
      `the volume root ${root} lies on ${kind}, but ${wanted} is configured; is the volume mounted?`,
    );
  }
  return { kind, totalBytes: stat.blocks * stat.bsize };
}
