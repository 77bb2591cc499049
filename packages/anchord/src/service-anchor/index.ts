/** Looks after the default route of one namespace. */
export { ServiceAnchor } from './service-anchor.ts';
