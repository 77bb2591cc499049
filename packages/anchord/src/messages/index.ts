/** What anchord says in its log: operators grep for these texts, and the reference is made from these tables. */
export { dataplaneMessages } from './dataplane.ts';
export { dhcpMessages } from './dhcp.ts';
export { discoveryMessages } from './discovery.ts';
export { externalMessages } from './external.ts';
export { externalRebinderMessages } from './external-rebinder.ts';
export { lifecycleMessages } from './lifecycle.ts';
export { pathMessages } from './path.ts';
export { processMessages } from './process.ts';
export { routeMessages } from './route.ts';
export { serviceAnchorMessages } from './service-anchor.ts';
export { wrapRebinderMessages } from './wrap-rebinder.ts';
