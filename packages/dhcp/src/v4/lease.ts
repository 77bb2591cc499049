import {
  type Ipv4,
  ipv4FromNumber,
  ipv4Number,
  isHostIpv4,
  type Mac,
  noIpv4,
  prefixLengthOf,
} from '../wire/index.ts';
import { type Dhcp4Message, decodeDhcp4, dhcp4Message, encodeDhcp4 } from './message.ts';
import type { ClasslessRoute } from './option-formats.ts';

/** An address with its network. */
export interface Address4 {
  readonly address: Ipv4;
  readonly prefixLength: number;
}

/** What a server has granted us. Times are of the clock that the client is driven by; `Infinity` means for ever. */
export interface Lease4 extends Address4 {
  readonly server: Ipv4;
  /** Who sent the grant on our link: the server, or the relay in front of it. */
  readonly serverMac: Mac;
  /** The default gateway: of option 121 where that is there, else the first of option 3. */
  readonly router: Ipv4 | undefined;
  /** The routes of option 121 beside the default one. A gateway of 0.0.0.0 means that the destination is on the link. */
  readonly routes: readonly ClasslessRoute[];
  readonly mtu: number | undefined;
  readonly domainName: string | undefined;
  readonly dnsServers: readonly Ipv4[];
  /** When we asked for it: from here on its times count. */
  readonly askedAtMs: number;
  readonly durationMs: number;
  readonly renewAtMs: number;
  readonly rebindAtMs: number;
  readonly expiresAtMs: number;
}

const endless = 0xffff_ffff;
const defaultLeaseSeconds = 3600;
/** A server that grants next to nothing must not make us a flood. */
const soonestRenewalMs = 1000;
/** What every IPv4 host has to take in one piece; a smaller one would be an attack or a slip. */
const smallestMtu = 576;
/** More routes than any LAN hands out. */
const mostRoutes = 64;

/**
 * Reads the lease out of an ACK (or an OFFER, to see whether it is worth asking for), or nothing where it grants nothing
 * that a host can use. It runs from the moment at which we asked for it (RFC 2131, 4.4.1).
 */
export function leaseOf(message: Dhcp4Message, serverMac: Mac, askedAtMs: number): Lease4 | undefined {
  const { options, yiaddr: address } = message;
  const prefixLength = options.subnetMask === undefined ? 32 : prefixLengthOf(options.subnetMask);
  const server = options.serverId;
  if (server === undefined || !isHostIpv4(server)) return undefined;
  if (prefixLength === undefined || !isUsable(address, prefixLength) || options.leaseSeconds === 0)
    return undefined;
  const mtu = options.interfaceMtu;
  return {
    address,
    prefixLength,
    server,
    serverMac,
    ...routing(message, address),
    mtu: mtu !== undefined && mtu >= smallestMtu ? mtu : undefined,
    domainName: options.domainName,
    dnsServers: options.dnsServers ?? [],
    ...timing(message, askedAtMs),
  };
}

/** A host's address, and neither the first nor the last of its network where those have a meaning of their own. */
function isUsable(address: Ipv4, prefixLength: number): boolean {
  if (!isHostIpv4(address) || prefixLength === 0) return false;
  if (prefixLength >= 31) return true;
  const hostMask = 0xffff_ffff >>> prefixLength;
  const host = (ipv4Number(address) & hostMask) >>> 0;
  return host !== 0 && host !== hostMask;
}

/** With option 121 there, option 3 does not count (RFC 3442). */
function routing(message: Dhcp4Message, own: Ipv4): Pick<Lease4, 'router' | 'routes'> {
  const { classlessRoutes, routers = [] } = message.options;
  const isGateway = (gateway: Ipv4 | undefined): gateway is Ipv4 =>
    gateway !== undefined && isHostIpv4(gateway) && gateway !== own;
  if (classlessRoutes === undefined) {
    const [first] = routers;
    return { router: isGateway(first) ? first : undefined, routes: [] };
  }
  return {
    router: classlessRoutes
      .filter((route) => route.prefixLength === 0)
      .map((route) => route.gateway)
      .find(isGateway),
    routes: classlessRoutes
      .filter((route) => route.prefixLength > 0 && (route.gateway === '0.0.0.0' || isGateway(route.gateway)))
      .slice(0, mostRoutes),
  };
}

/** T1 is half of the lease and T2 seven eighths of it unless the server says better, and says it in order. */
function timing(
  message: Dhcp4Message,
  askedAtMs: number,
): Pick<Lease4, 'askedAtMs' | 'durationMs' | 'renewAtMs' | 'rebindAtMs' | 'expiresAtMs'> {
  const { leaseSeconds = defaultLeaseSeconds, renewalSeconds, rebindingSeconds } = message.options;
  const durationMs = leaseSeconds === endless ? Number.POSITIVE_INFINITY : leaseSeconds * 1000;
  const told = (seconds: number | undefined, otherwise: number): number =>
    seconds === undefined || seconds === 0 || seconds === endless ? otherwise : seconds * 1000;
  let renewMs = told(renewalSeconds, durationMs / 2);
  let rebindMs = told(rebindingSeconds, Math.max(durationMs * 0.875, renewMs));
  if (renewMs > rebindMs || rebindMs > durationMs) {
    renewMs = durationMs / 2;
    rebindMs = durationMs * 0.875;
  }
  return {
    askedAtMs,
    durationMs,
    renewAtMs: askedAtMs + Math.max(renewMs, soonestRenewalMs),
    rebindAtMs: askedAtMs + rebindMs,
    expiresAtMs: askedAtMs + durationMs,
  };
}

/** The lease as the ACK that would grant it: the form in which it is remembered beyond the life of the process. */
export function packLease4(lease: Lease4, chaddr: Mac): Uint8Array {
  const seconds = (atMs: number): number =>
    atMs === Number.POSITIVE_INFINITY ? endless : Math.floor((atMs - lease.askedAtMs) / 1000);
  const toAll = { destination: noIpv4, prefixLength: 0 };
  const defaultRoute = lease.router === undefined ? [] : [{ ...toAll, gateway: lease.router }];
  return encodeDhcp4(
    dhcp4Message({
      type: 'ack',
      op: 'reply',
      xid: 0,
      chaddr,
      yiaddr: lease.address,
      options: {
        subnetMask: ipv4FromNumber(lease.prefixLength === 0 ? 0 : -1 << (32 - lease.prefixLength)),
        classlessRoutes: [...defaultRoute, ...lease.routes],
        dnsServers: lease.dnsServers,
        leaseSeconds: seconds(lease.expiresAtMs),
        serverId: lease.server,
        renewalSeconds: seconds(lease.renewAtMs),
        rebindingSeconds: seconds(lease.rebindAtMs),
        ...(lease.mtu === undefined ? {} : { interfaceMtu: lease.mtu }),
        ...(lease.domainName === undefined ? {} : { domainName: lease.domainName }),
      },
    }),
  );
}

/** Reads what `packLease4` wrote, or nothing where that is not what it is. */
export function unpackLease4(packed: Uint8Array, serverMac: Mac, askedAtMs: number): Lease4 | undefined {
  const read = decodeDhcp4(packed);
  return read.ok && read.value.type === 'ack' ? leaseOf(read.value, serverMac, askedAtMs) : undefined;
}
