export { EngineWatch } from './engine-watch.ts';
export type { Evidence } from './evidence.ts';
export { type ContainerListing, isAlive, type LeaseContainer } from './listing.ts';
export type { TenantNetworks } from './networks.ts';
export { deathAmong } from './observation.ts';
export { isLegacy, unusable } from './rebuild.ts';
export { type Workload, workload } from './workload.ts';
