import { type Ipv6, ipv6Bytes, ipv6FromBytes, type Mac, macBytes } from '../wire/addresses.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import { internetChecksum } from '../wire/checksum.ts';
import { type Decoded, decoded, refused } from '../wire/decoded.ts';
import { etherType, putEthernetHeader, splitEthernet } from './ethernet.ts';

/** An ICMPv6 message in its Ethernet frame. Neighbour discovery only: always with hop limit 255. */
export interface Icmp6Frame {
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  readonly source: Ipv6;
  readonly destination: Ipv6;
  readonly type: number;
  readonly code: number;
  /** What follows the checksum. */
  readonly body: Uint8Array;
}

export const icmp6Type = {
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighbourSolicitation: 135,
  neighbourAdvertisement: 136,
} as const;

export const allNodes = 'ff02::1' as Ipv6;
export const allRouters = 'ff02::2' as Ipv6;

const icmp6 = 58;
const hopLimit = 255;

/** Where Ethernet sends an IPv6 multicast (RFC 2464, 7). */
export function multicastMac(group: Ipv6): Mac {
  const tail = Array.from(ipv6Bytes(group).subarray(12), (byte) => byte.toString(16).padStart(2, '0'));
  return `33:33:${tail.join(':')}` as Mac;
}

/** The group on which the owner of `address` listens for solicitations (RFC 4291, 2.7.1). */
export function solicitedNodeGroup(address: Ipv6): Ipv6 {
  const group = ipv6Bytes('ff02::1:ff00:0' as Ipv6);
  group.set(ipv6Bytes(address).subarray(13), 13);
  return ipv6FromBytes(group);
}

export function encodeIcmp6Frame(frame: Icmp6Frame): Uint8Array {
  const message = (checksum: number): Uint8Array =>
    new ByteWriter().u8(frame.type).u8(frame.code).u16(checksum).put(frame.body).bytes();
  const source = ipv6Bytes(frame.source);
  const destination = ipv6Bytes(frame.destination);
  const checksum = icmp6Checksum(source, destination, message(0));
  return putEthernetHeader(new ByteWriter(), {
    destination: frame.destinationMac,
    source: frame.sourceMac,
    etherType: etherType.ipv6,
  })
    .u32(0x6000_0000)
    .u16(4 + frame.body.length)
    .u8(icmp6)
    .u8(hopLimit)
    .put(source)
    .put(destination)
    .put(message(checksum))
    .bytes();
}

/**
 * Takes a neighbour discovery frame apart. Such a message never passes a router, which the hop limit proves, and has no
 * extension headers: what differs is refused.
 */
export function decodeIcmp6Frame(frame: Uint8Array): Decoded<Icmp6Frame> {
  const ethernet = splitEthernet(frame);
  if (ethernet === undefined) return refused('truncated');
  if (ethernet.etherType !== etherType.ipv6) return refused('other-protocol');
  const reader = new ByteReader(ethernet.payload);
  const version = reader.u32() >>> 28;
  const length = reader.u16();
  const nextHeader = reader.u8();
  const hops = reader.u8();
  const source = reader.take(16);
  const destination = reader.take(16);
  const message = reader.take(length);
  if (reader.overrun || length < 4) return refused('truncated');
  if (version !== 6 || nextHeader !== icmp6) return refused('other-protocol');
  if (hops !== hopLimit) return refused('malformed');
  if (icmp6Checksum(source, destination, message) !== 0) return refused('bad-checksum');
  return decoded({
    sourceMac: ethernet.source,
    destinationMac: ethernet.destination,
    source: ipv6FromBytes(source),
    destination: ipv6FromBytes(destination),
    type: message[0] ?? 0,
    code: message[1] ?? 0,
    body: message.subarray(4),
  });
}

function icmp6Checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  const pseudo = new ByteWriter().put(source).put(destination).u32(message.length).u32(icmp6).bytes();
  return internetChecksum(pseudo, message);
}

const sourceLinkLayer = (mac: Mac): Uint8Array => new ByteWriter().u8(1).u8(1).put(macBytes(mac)).bytes();
const targetLinkLayer = (mac: Mac): Uint8Array => new ByteWriter().u8(2).u8(1).put(macBytes(mac)).bytes();

/** Asks the routers on the link to introduce themselves now. */
export function routerSolicitation(mac: Mac, source: Ipv6): Icmp6Frame {
  return {
    sourceMac: mac,
    destinationMac: multicastMac(allRouters),
    source,
    destination: allRouters,
    type: icmp6Type.routerSolicitation,
    code: 0,
    body: new ByteWriter().u32(0).put(sourceLinkLayer(mac)).bytes(),
  };
}

/** Tells everybody that `address` is behind `mac` from now on, as an ARP announcement does for IPv4. */
export function unsolicitedAdvertisement(mac: Mac, address: Ipv6): Icmp6Frame {
  const override = 0x2000_0000;
  return {
    sourceMac: mac,
    destinationMac: multicastMac(allNodes),
    source: address,
    destination: allNodes,
    type: icmp6Type.neighbourAdvertisement,
    code: 0,
    body: new ByteWriter().u32(override).put(ipv6Bytes(address)).put(targetLinkLayer(mac)).bytes(),
  };
}

export function neighbourSolicitation(mac: Mac, source: Ipv6, target: Ipv6): Icmp6Frame {
  const group = solicitedNodeGroup(target);
  const body = new ByteWriter().u32(0).put(ipv6Bytes(target));
  // Whoever asks without an address of its own (duplicate address detection) must not say its MAC.
  if (source !== '::') body.put(sourceLinkLayer(mac));
  return {
    sourceMac: mac,
    destinationMac: multicastMac(group),
    source,
    destination: group,
    type: icmp6Type.neighbourSolicitation,
    code: 0,
    body: body.bytes(),
  };
}

export interface NeighbourMessage {
  readonly kind: 'solicitation' | 'advertisement';
  readonly target: Ipv6;
  readonly override: boolean;
  readonly solicited: boolean;
}

export function decodeNeighbourMessage(frame: Icmp6Frame): Decoded<NeighbourMessage> {
  const solicitation = frame.type === icmp6Type.neighbourSolicitation;
  if (!solicitation && frame.type !== icmp6Type.neighbourAdvertisement) return refused('unknown-type');
  const reader = new ByteReader(frame.body);
  const flags = reader.u32();
  const target = reader.take(16);
  if (reader.overrun) return refused('truncated');
  return decoded({
    kind: solicitation ? 'solicitation' : 'advertisement',
    target: ipv6FromBytes(target),
    override: (flags & 0x2000_0000) !== 0,
    solicited: (flags & 0x4000_0000) !== 0,
  });
}
