import type { Ipv6 } from '../wire/index.ts';
import type { Lease6 } from './lease.ts';
import type { Dhcp6Message, Dhcp6MessageType } from './message.ts';
import { type Dhcp6Options, dhcp6Option, type IaAddress, type IaNa } from './options.ts';
import type { Dhcp6Config, Exchange6 } from './state.ts';

/** DNS servers and search list, as ever; and how patient servers want their clients to be (RFC 7083). */
const wanted = [dhcp6Option.dnsServers, dhcp6Option.domainSearch, dhcp6Option.solMaxRt];

/** No flag set: the server decides what it does with our name (RFC 4704). */
const fqdn = ({ hostName }: Dhcp6Config): Pick<Dhcp6Options, 'clientFqdn'> =>
  hostName === '' ? {} : { clientFqdn: { flags: 0, name: hostName } };

const association = ({ iaid }: Dhcp6Config, addresses: readonly IaAddress[]): IaNa => ({
  iaid,
  renewSeconds: 0,
  rebindSeconds: 0,
  addresses,
});

/** Addresses as a client names them: what lifetimes they get is the server's affair. */
const named = (addresses: readonly { readonly address: Ipv6 }[]): readonly IaAddress[] =>
  addresses.map(({ address }) => ({ address, preferredSeconds: 0, validSeconds: 0 }));

function message(
  type: Dhcp6MessageType,
  { config, exchange, nowMs }: Asking,
  options: Partial<Dhcp6Options>,
): Dhcp6Message {
  return {
    type,
    transactionId: exchange.transactionId,
    options: {
      clientId: config.clientId,
      rapidCommit: false,
      iaNas: [],
      elapsedTime: Math.min(Math.round((nowMs - exchange.startedAtMs) / 10), 0xffff),
      ...options,
    },
  };
}

export interface Asking {
  readonly config: Dhcp6Config;
  readonly exchange: Exchange6;
  readonly nowMs: number;
}

export const solicit = (asking: Asking): Dhcp6Message =>
  message('solicit', asking, {
    iaNas: [association(asking.config, [])],
    optionRequest: wanted,
    ...fqdn(asking.config),
  });

export const request = (asking: Asking, serverId: Uint8Array, offered: readonly IaAddress[]): Dhcp6Message =>
  message('request', asking, {
    serverId,
    iaNas: [association(asking.config, offered)],
    optionRequest: wanted,
    ...fqdn(asking.config),
  });

/** Asks every server whether addresses from before fit this link. */
export const confirm = (asking: Asking, lease: Lease6): Dhcp6Message =>
  message('confirm', asking, { iaNas: [association(asking.config, named(lease.addresses))] });

export const renew6 = (asking: Asking, lease: Lease6): Dhcp6Message =>
  message('renew', asking, {
    serverId: lease.server,
    iaNas: [association(asking.config, named(lease.addresses))],
    optionRequest: wanted,
    ...fqdn(asking.config),
  });

export const rebind6 = (asking: Asking, lease: Lease6): Dhcp6Message =>
  message('rebind', asking, {
    iaNas: [association(asking.config, named(lease.addresses))],
    optionRequest: wanted,
    ...fqdn(asking.config),
  });

export const decline6 = (asking: Asking, serverId: Uint8Array, addresses: readonly Ipv6[]): Dhcp6Message =>
  message('decline', asking, {
    serverId,
    iaNas: [association(asking.config, named(addresses.map((address) => ({ address }))))],
  });

export const release6 = (asking: Asking, lease: Lease6): Dhcp6Message =>
  message('release', asking, {
    serverId: lease.server,
    iaNas: [association(asking.config, named(lease.addresses))],
  });
