/** DHCP for IPv6: the messages and the client. */
export * from './duid.ts';
export * from './message.ts';
export type { ClientFqdn, Dhcp6Options, IaAddress, IaNa, Status } from './options.ts';
export { dhcp6Option, dhcp6Status } from './options.ts';
