/** A proxy before a Docker socket that does to the traffic what goes wrong in the field, on order. */
export type { Fault, FaultRule } from './fault.ts';
export type { RequestPattern } from './pattern.ts';
export { allowOnly, type Permission, type SocketProxySwitch, socketProxy } from './permissions.ts';
export { type Address, type Exchange, FaultProxy } from './proxy.ts';
export type { ActiveRule } from './rules.ts';
