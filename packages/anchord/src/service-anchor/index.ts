/** Looks after the default route of one namespace. */
export { chooseGateways } from './gateway.ts';
export { ServiceAnchor } from './service-anchor.ts';
