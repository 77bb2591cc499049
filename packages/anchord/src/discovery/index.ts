/** From what Docker says to the backends that are to be served. */
export { BackendDiscovery } from './backend-discovery.ts';
export type { Backend, Discovery } from './backends.ts';
export { fromDetails, fromSummary } from './docker.ts';
export { ObservedWorld } from './observed-world.ts';
export { ContainerObserver } from './observer.ts';
export { inspectSelf, ownReferences } from './self.ts';
export { type SharedNetworkPicker, settledNetwork, sharedNetworkPicker } from './shared-network.ts';
