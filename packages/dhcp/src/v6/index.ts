/** DHCP for IPv6: the messages and the client. */
export * from './client.ts';
export { dhcp6Table } from './client-table.ts';
export * from './duid.ts';
export type { Lease6, LeasedAddress6 } from './lease.ts';
export { packLease6, unpackLease6 } from './lease.ts';
export * from './message.ts';
export type { ClientFqdn, Dhcp6Options, IaAddress, IaNa, Status } from './options.ts';
export { dhcp6Option, dhcp6Status } from './options.ts';
export type {
  Dhcp6Action,
  Dhcp6Config,
  Dhcp6Input,
  Dhcp6Phase,
  Dhcp6State,
  Ignored6,
  Loss6,
  Report6,
} from './state.ts';
