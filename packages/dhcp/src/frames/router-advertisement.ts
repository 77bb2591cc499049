import {
  type Ipv6,
  ipv6Bytes,
  ipv6FromBytes,
  type Mac,
  macBytes,
  readIpv6,
  readMac,
} from '../wire/addresses.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import { type Decoded, decoded, refused } from '../wire/decoded.ts';
import { type Icmp6Frame, icmp6Type } from './icmp6.ts';

export type RouterPreference = 'high' | 'medium' | 'low';

export interface PrefixInformation {
  readonly prefix: Ipv6;
  readonly prefixLength: number;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validSeconds: number;
  readonly preferredSeconds: number;
}

export interface RouteInformation {
  readonly prefix: Ipv6;
  readonly prefixLength: number;
  readonly preference: RouterPreference;
  readonly lifetimeSeconds: number;
}

/** A router advertisement (RFC 4861, 4191, 8106). */
export interface RouterAdvertisement {
  readonly hopLimit: number;
  /** M: addresses come from DHCPv6. */
  readonly managed: boolean;
  /** O: other configuration comes from DHCPv6. */
  readonly other: boolean;
  readonly preference: RouterPreference;
  /** How long the sender may be a default router; 0 says that it is none. */
  readonly lifetimeSeconds: number;
  readonly reachableMs: number;
  readonly retransmitMs: number;
  readonly sourceMac?: Mac;
  readonly mtu?: number;
  readonly prefixes: readonly PrefixInformation[];
  readonly routes: readonly RouteInformation[];
  readonly dnsServers: readonly { readonly address: Ipv6; readonly lifetimeSeconds: number }[];
}

const optionCode = { sourceMac: 1, prefix: 3, mtu: 5, route: 24, dns: 25 } as const;
const preferenceBits: Readonly<Record<RouterPreference, number>> = { medium: 0, high: 1, low: 3 };

function preferenceFrom(bits: number): RouterPreference {
  if (bits === preferenceBits.high) return 'high';
  return bits === preferenceBits.low ? 'low' : 'medium';
}

/** Reads what a router says of itself. Only a link-local sender can be a router (RFC 4861, 6.1.2). */
export function decodeRouterAdvertisement(frame: Icmp6Frame): Decoded<RouterAdvertisement> {
  if (frame.type !== icmp6Type.routerAdvertisement) return refused('unknown-type');
  if (frame.code !== 0 || !/^fe[89ab]/.test(frame.source)) return refused('malformed');
  const reader = new ByteReader(frame.body);
  const hopLimit = reader.u8();
  const flags = reader.u8();
  const lifetimeSeconds = reader.u16();
  const reachableMs = reader.u32();
  const retransmitMs = reader.u32();
  if (reader.overrun) return refused('truncated');
  const options = readOptions(reader);
  if (options === undefined) return refused('malformed');
  return decoded({
    hopLimit,
    managed: (flags & 0x80) !== 0,
    other: (flags & 0x40) !== 0,
    preference: preferenceFrom((flags >>> 3) & 3),
    lifetimeSeconds,
    reachableMs,
    retransmitMs,
    ...options,
  });
}

interface Options {
  sourceMac?: Mac;
  mtu?: number;
  prefixes: PrefixInformation[];
  routes: RouteInformation[];
  dnsServers: { address: Ipv6; lifetimeSeconds: number }[];
}

/** An option of length 0 or past the end spoils the whole message (RFC 4861, 4.6); an unknown one is passed over. */
function readOptions(reader: ByteReader): Options | undefined {
  const options: Options = { prefixes: [], routes: [], dnsServers: [] };
  while (reader.remaining > 0) {
    const code = reader.u8();
    const length = reader.u8() * 8;
    if (length === 0 || length - 2 > reader.remaining) return undefined;
    readOption(code, reader.take(length - 2), options);
  }
  return options;
}

function readOption(code: number, content: Uint8Array, options: Options): void {
  const reader = new ByteReader(content);
  if (code === optionCode.sourceMac && content.length === 6) options.sourceMac = readMac(reader);
  else if (code === optionCode.mtu && content.length === 6) {
    reader.u16();
    options.mtu = reader.u32();
  } else if (code === optionCode.prefix && content.length === 30) {
    const prefix = readPrefix(reader);
    if (prefix.prefixLength <= 128) options.prefixes.push(prefix);
  } else if (code === optionCode.route) {
    const route = readRoute(reader);
    if (!reader.overrun && route.prefixLength <= 128) options.routes.push(route);
  } else if (code === optionCode.dns && content.length >= 22) {
    reader.u16();
    const lifetimeSeconds = reader.u32();
    while (reader.remaining >= 16) options.dnsServers.push({ address: readIpv6(reader), lifetimeSeconds });
  }
}

function readPrefix(reader: ByteReader): PrefixInformation {
  const prefixLength = reader.u8();
  const flags = reader.u8();
  const validSeconds = reader.u32();
  const preferredSeconds = reader.u32();
  reader.u32();
  return {
    prefix: readIpv6(reader),
    prefixLength,
    onLink: (flags & 0x80) !== 0,
    autonomous: (flags & 0x40) !== 0,
    validSeconds,
    preferredSeconds,
  };
}

/** The prefix is cut to the 0, 8 or 16 bytes that its length needs. */
function readRoute(reader: ByteReader): RouteInformation {
  const prefixLength = reader.u8();
  const flags = reader.u8();
  const lifetimeSeconds = reader.u32();
  const given = reader.rest();
  const prefix = new Uint8Array(16);
  prefix.set(given.subarray(0, 16));
  return {
    prefix: ipv6FromBytes(prefix),
    prefixLength,
    preference: preferenceFrom((flags >>> 3) & 3),
    lifetimeSeconds,
  };
}

/** The message body behind the checksum; what a router of our own in tests and labs sends. */
export function encodeRouterAdvertisement(message: RouterAdvertisement): Uint8Array {
  const flags =
    (message.managed ? 0x80 : 0) | (message.other ? 0x40 : 0) | (preferenceBits[message.preference] << 3);
  const writer = new ByteWriter()
    .u8(message.hopLimit)
    .u8(flags)
    .u16(message.lifetimeSeconds)
    .u32(message.reachableMs)
    .u32(message.retransmitMs);
  if (message.sourceMac !== undefined) writer.u8(optionCode.sourceMac).u8(1).put(macBytes(message.sourceMac));
  if (message.mtu !== undefined) writer.u8(optionCode.mtu).u8(1).u16(0).u32(message.mtu);
  for (const prefix of message.prefixes) putPrefix(writer, prefix);
  for (const route of message.routes) {
    writer
      .u8(optionCode.route)
      .u8(3)
      .u8(route.prefixLength)
      .u8(preferenceBits[route.preference] << 3);
    writer.u32(route.lifetimeSeconds).put(ipv6Bytes(route.prefix));
  }
  for (const server of message.dnsServers) {
    writer.u8(optionCode.dns).u8(3).u16(0).u32(server.lifetimeSeconds).put(ipv6Bytes(server.address));
  }
  return writer.bytes();
}

function putPrefix(writer: ByteWriter, prefix: PrefixInformation): void {
  writer
    .u8(optionCode.prefix)
    .u8(4)
    .u8(prefix.prefixLength)
    .u8((prefix.onLink ? 0x80 : 0) | (prefix.autonomous ? 0x40 : 0))
    .u32(prefix.validSeconds)
    .u32(prefix.preferredSeconds)
    .u32(0)
    .put(ipv6Bytes(prefix.prefix));
}
