export { EngineWatch } from './engine-watch.ts';
export type { Evidence } from './evidence.ts';
export { knownRelease } from './known-release.ts';
export { type ContainerListing, isAlive, type LeaseContainer, type Listing } from './listing.ts';
export type { Migration } from './migration.ts';
export type { TenantNetworks } from './networks.ts';
export { deathAmong } from './observation.ts';
export { unusable } from './rebuild.ts';
export { type Workload, workload } from './workload.ts';
