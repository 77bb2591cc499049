/** The network configuration of a namespace: links, addresses, routes, neighbours, rules; and a watch over all of it. */
export type { Addresses } from './addresses.ts';
export type {
  AddressFilter,
  AddressIdentity,
  AddressScope,
  InterfaceAddress,
  NewInterfaceAddress,
} from './interface-address.ts';
export type { Link, LinkChange, MacvlanMode, NewLink, NewVethEnd } from './link.ts';
export type { Links } from './links.ts';
export type {
  Neighbour,
  NeighbourFilter,
  NeighbourIdentity,
  NeighbourState,
  NewNeighbour,
} from './neighbour.ts';
export type { Neighbours } from './neighbours.ts';
export { Network } from './network.ts';
export {
  MAIN_TABLE,
  type NewRoute,
  type NextHop,
  type Route,
  type RouteFilter,
  type RouteScope,
  type RouteType,
  routeProtocols,
} from './route.ts';
export type { Routes } from './routes.ts';
export type { Rule, Rules } from './rule.ts';
export {
  type NetworkEvent,
  type NetworkSnapshot,
  NetworkWatch,
  type NetworkWatchOptions,
  type Watched,
} from './watch.ts';
