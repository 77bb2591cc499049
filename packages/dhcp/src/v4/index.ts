/** DHCP for IPv4: the messages and the client. */
export * from './client.ts';
export { dhcp4Table } from './client-table.ts';
export type { Address4, Lease4 } from './lease.ts';
export { packLease4, unpackLease4 } from './lease.ts';
export * from './message.ts';
export type { ClasslessRoute, StaticRoute } from './option-formats.ts';
export type { Dhcp4OptionName, Dhcp4Options } from './options.ts';
export { optionCode } from './options.ts';
export type {
  Dhcp4Action,
  Dhcp4Config,
  Dhcp4Input,
  Dhcp4Phase,
  Dhcp4State,
  Ignored4,
  Loss4,
  Moment,
  Report4,
} from './state.ts';
