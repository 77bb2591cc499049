export { type BackfillContext, backfillQuotas, type WantedQuota } from './backfill.ts';
export { type Claim, type ClaimKind, type ClaimSource, Ownership } from './claims.ts';
export {
  type LeaseClosing,
  leftText,
  PlainClosing,
  type VolumesClosed,
  volumesOfItems,
} from './closing.ts';
export {
  type DestroyOutcome,
  type DestroySite,
  type Partition,
  VolumeDoor,
  type VolumeOperation,
} from './door.ts';
export { ConfinedFolder } from './confined-folder.ts';
export { liveClaims } from './live-claims.ts';
export { NameLocks } from './name-locks.ts';
export { type OpenVolumes, openVolumes } from './open.ts';
export type { VolumeOwner } from './owner.ts';
export { findOrphans, type SweepContext, sweepOrphans, type Witness } from './sweep.ts';
export { isWithin, volumePath } from './volume-paths.ts';
export { type Obtained, scratchFolder, Volumes } from './volumes.ts';
