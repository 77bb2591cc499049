/** Opens the volume root, and hands out what can be done there: all but destruction, and the door to that. */
import type { QuotaFilesystem, QuotaKind, RunTool } from '@berth/kernel/filesystems';
import type { Scope } from '@berth/service';
import type { Log } from '@berth/service/log';
import { isVolumeName } from '../names/index.ts';
import { type ClaimSource, Ownership } from './claims.ts';
import { type DestroySite, type RefusalReason, VolumeDoor } from './door.ts';
import { labelClaims } from './label-claims.ts';
import { NameLocks } from './name-locks.ts';
import { type KnownRoot, RootIdentity } from './root-identity.ts';
import { Volumes } from './volumes.ts';

/** Stand between the volumes and what outlives the process: who stands in them sees each step. */
export interface DiskDoors {
  filesystem(filesystem: QuotaFilesystem): QuotaFilesystem;
  tools(run: RunTool): RunTool;
}

export interface OpenVolumesOptions {
  /** Empty: there are no volumes. */
  readonly root: string;
  readonly filesystem: QuotaKind | '';
  readonly minAvgFileBytes: number;
  readonly totalDiskMb: number;
  readonly backendName: string;
  /** All who can own a volume. */
  readonly claims: readonly ClaimSource[];
  readonly log: Log;
  /** The root is held for this process alone, until the scope ends. It must not be another backend's. */
  readonly scope: Scope;
  /** Given: it has to be the root that is known, too. */
  readonly known?: KnownRoot;
  readonly doors?: DiskDoors | undefined;
  readonly meter: {
    refused(site: DestroySite, reason: RefusalReason): void;
    clearFailed(): void;
  };
}

export interface OpenVolumes {
  /** How many files and folders a volume of that size may have. */
  readonly entriesIn: (sizeMb: number) => number;
  readonly volumes: Volumes;
  readonly door: VolumeDoor;
}

const mib = 1024 * 1024;

/** Rejects when the root cannot be used as it is: a missing mount must not pass for an empty disk. */
export async function openVolumes(options: OpenVolumesOptions): Promise<OpenVolumes> {
  const { root, log, claims, meter, backendName } = options;
  const locks = new NameLocks();
  const onRefused = meter.refused;
  if (root === '') {
    const ownership = new Ownership(claims);
    const destroyer = { destroy: async () => undefined };
    return {
      entriesIn: () => 0,
      volumes: new Volumes(undefined, locks),
      door: new VolumeDoor({ destroyer, ownership, locks, log, onRefused }),
    };
  }
  // Loaded when it is needed: a backend without volumes takes none of it.
  const { inodeCeiling, openQuotaFilesystem, probeRoot } = await import('@berth/kernel/filesystems');
  const { doors } = options;
  const opened = await openQuotaFilesystem({
    root,
    ...(doors !== undefined && { tools: (run) => doors.tools(run) }),
    wanted: options.filesystem,
    isManaged: isVolumeName,
    warn: (message) => log.warn(message),
    onClearFailed: meter.clearFailed,
    minAvgFileBytes: options.minAvgFileBytes,
  });
  const { volumes: filesystem, destroyer } = doors?.filesystem(opened) ?? opened;
  // Before anything else: what an unfinished volume of another process looks like, is ours to clear away.
  const held = options.scope.own(new RootIdentity(root));
  held.demand(backendName);
  await filesystem.validate();
  if (options.known !== undefined)
    held.agree(backendName, options.known, (await filesystem.list()).length > 0);
  warnOfCapacity(options, (await probeRoot(root)).totalBytes);
  return {
    entriesIn: (sizeMb) => inodeCeiling(sizeMb, options.minAvgFileBytes),
    volumes: new Volumes(filesystem, locks),
    door: doorTo({ volumes: filesystem, destroyer }, { claims, backendName, locks, log, onRefused }),
  };
}

export interface DoorOptions extends Pick<OpenVolumesOptions, 'claims' | 'backendName' | 'log'> {
  readonly locks: NameLocks;
  readonly onRefused: (site: DestroySite, reason: RefusalReason) => void;
}

/** The door to what a file system has: all who can own a volume are asked there, and the volume itself is, too. */
export function doorTo(
  { volumes, destroyer }: QuotaFilesystem,
  { claims, backendName, locks, log, onRefused }: DoorOptions,
): VolumeDoor {
  const ownership = new Ownership([...claims, labelClaims(volumes, backendName)]);
  return new VolumeDoor({ destroyer, ownership, locks, log, onRefused });
}

/** Quotas are ceilings and reserve nothing: more than there is must not be promised. */
function warnOfCapacity({ totalDiskMb, log }: OpenVolumesOptions, totalBytes: number): void {
  const haveMb = Math.floor(totalBytes / mib);
  if (totalDiskMb > haveMb)
    log.warn('total_disk_mb is more than the file system of volume_data_path has', {
      total_disk_mb: totalDiskMb,
      file_system_mb: haveMb,
    });
}
