export { backfillQuotas, coverEscapes } from './backfill.ts';
export { ConfinedFolder } from './confined-folder.ts';
export type { VolumeDoor } from './door.ts';
export { backfillLabels, type KnownOwner } from './label-backfill.ts';
export { liveClaims, liveQuotas } from './live-claims.ts';
export { type DiskDoors, type OpenVolumes, openVolumes } from './open.ts';
export type { VolumeOwner } from './owner.ts';
export { RoomWatch } from './room-watch.ts';
export type { KnownRoot } from './root-identity.ts';
export {
  clearScratch,
  dropScratchAside,
  restoreScratch,
  seedScratch,
} from './scratch.ts';
export { volumesStay } from './staying.ts';
export { OrphanSweep, type Swept, type Witness } from './sweep.ts';
export { isWithin, volumePath } from './volume-paths.ts';
export type { Obtained, Volumes } from './volumes.ts';
