/** Volumes with quotas on btrfs, xfs and zfs. The only part that runs programs: the file systems' own tools, by argv. */
import { btrfsFilesystem } from './btrfs.ts';
import { probeRoot } from './probe.ts';
import type { QuotaFilesystem, QuotaKind } from './quota-volumes.ts';
import { type RunTool, runTool } from './tool.ts';
import { type XfsOptions, xfsFilesystem } from './xfs.ts';
import { zfsFilesystem } from './zfs.ts';

export { filesystemErrors } from './errors.ts';
export { probeRoot } from './probe.ts';
export type {
  CreatedVolume,
  QuotaFilesystem,
  QuotaKind,
  QuotaVolumes,
  VolumeDestroyer,
} from './quota-volumes.ts';

export type { RunTool } from './tool.ts';
export { inodeCeiling } from './xfs.ts';

export interface OpenFilesystemOptions extends Omit<XfsOptions, 'run'> {
  /** What the configuration says; empty: whatever the disk has. The disk is looked at in any case. */
  readonly wanted: QuotaKind | '';
  /** Stands between the volumes and every tool that they run. */
  readonly tools?: (run: RunTool) => RunTool;
}

/** Looks at the disk and opens the volumes on it. Call `validate` before anything else. */
export async function openQuotaFilesystem(options: OpenFilesystemOptions): Promise<QuotaFilesystem> {
  const { kind } = await probeRoot(options.root, options.wanted);
  const withTools = { ...options, run: options.tools?.(runTool) ?? runTool };
  if (kind === 'btrfs') return btrfsFilesystem(withTools);
  if (kind === 'xfs') return xfsFilesystem(withTools);
  return zfsFilesystem(withTools);
}
