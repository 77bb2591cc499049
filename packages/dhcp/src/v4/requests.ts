import { noIpv4 } from '../wire/index.ts';
import type { Address4, Lease4 } from './lease.ts';
import { type Dhcp4Message, dhcp4Message } from './message.ts';
import { type Dhcp4Options, optionCode } from './options.ts';
import type { Dhcp4Config, Offer4 } from './state.ts';

/**
 * What we want to know. Classless routes stand before routers, or servers may leave them out (RFC 3442); mask, router,
 * domain name, DNS in their old order, as servers are known to look at it.
 */
const wanted = (
  ['subnetMask', 'classlessRoutes', 'routers', 'domainName', 'dnsServers', 'interfaceMtu'] as const
).map(optionCode);

const maxMessageSize = 1500;

const identity = (config: Dhcp4Config): Dhcp4Options => ({
  ...(config.hostName === '' ? {} : { hostName: config.hostName }),
  ...(config.clientId === undefined ? {} : { clientId: config.clientId }),
});

const asking = (config: Dhcp4Config): Dhcp4Options => ({
  ...identity(config),
  maxMessageSize,
  parameterRequest: wanted,
});

const request = (
  config: Dhcp4Config,
  type: Dhcp4Message['type'],
  xid: number,
  options: Dhcp4Options,
  ciaddr = noIpv4,
): Dhcp4Message => dhcp4Message({ type, op: 'request', xid, chaddr: config.mac, ciaddr, options });

export const discover = (config: Dhcp4Config, xid: number): Dhcp4Message =>
  request(config, 'discover', xid, asking(config));

/** Takes one server's offer. */
export const select = (config: Dhcp4Config, xid: number, offer: Offer4): Dhcp4Message =>
  request(config, 'request', xid, {
    ...asking(config),
    requestedAddress: offer.address,
    serverId: offer.server,
  });

/** Asks whether an address from before is still ours. */
export const reboot = (config: Dhcp4Config, xid: number, remembered: Address4): Dhcp4Message =>
  request(config, 'request', xid, { ...asking(config), requestedAddress: remembered.address });

/** Asks for more time; unicast it is a renewal, broadcast a rebinding. */
export const renew = (config: Dhcp4Config, xid: number, lease: Address4): Dhcp4Message =>
  request(config, 'request', xid, asking(config), lease.address);

/** Says that somebody else uses what the server gave us. */
export const decline = (config: Dhcp4Config, xid: number, lease: Lease4): Dhcp4Message => {
  const { clientId } = identity(config);
  return request(config, 'decline', xid, {
    ...(clientId === undefined ? {} : { clientId }),
    requestedAddress: lease.address,
    serverId: lease.server,
  });
};

/** Gives the address back. With the client identifier, or a server that keeps its leases by it would not know whose. */
export const release = (config: Dhcp4Config, xid: number, lease: Lease4): Dhcp4Message => {
  const { clientId } = identity(config);
  return request(
    config,
    'release',
    xid,
    { ...(clientId === undefined ? {} : { clientId }), serverId: lease.server },
    lease.address,
  );
};
