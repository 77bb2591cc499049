/** Where the external address comes from: DHCP clients and what they need, on an interface in any namespace. */
export { AdvertisedAddresses } from './advertised-addresses.ts';
export { Dhcp4Client, type Dhcp4Options } from './dhcp4-client.ts';
export type { Dhcp4Events, Trouble4 } from './dhcp4-executor.ts';
export { Dhcp6Client, type Dhcp6Events, type Dhcp6Options, type Trouble6 } from './dhcp6-client.ts';
export { type ExternalLink, wireMac } from './external-link.ts';
export { clientIdOf, type Dhcp6Identity, dhcp6IdentityOf } from './identity.ts';
export { LeaseFile, type LeaseStore, type StoredLease } from './lease-store.ts';
