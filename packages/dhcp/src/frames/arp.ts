import {
  broadcastMac,
  type Ipv4,
  ipv4Bytes,
  type Mac,
  macBytes,
  noIpv4,
  noMac,
  readIpv4,
  readMac,
} from '../wire/addresses.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import { type Decoded, decoded, refused } from '../wire/decoded.ts';
import { etherType, putEthernetHeader, splitEthernet } from './ethernet.ts';

export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly senderIp: Ipv4;
  readonly targetMac: Mac;
  readonly targetIp: Ipv4;
}

export function encodeArpFrame(packet: ArpPacket, destination: Mac = broadcastMac): Uint8Array {
  return putEthernetHeader(new ByteWriter(), {
    destination,
    source: packet.senderMac,
    etherType: etherType.arp,
  })
    .u16(1)
    .u16(etherType.ipv4)
    .u8(6)
    .u8(4)
    .u16(packet.operation === 'request' ? 1 : 2)
    .put(macBytes(packet.senderMac))
    .put(ipv4Bytes(packet.senderIp))
    .put(macBytes(packet.targetMac))
    .put(ipv4Bytes(packet.targetIp))
    .bytes();
}

export function decodeArpFrame(frame: Uint8Array): Decoded<ArpPacket> {
  const ethernet = splitEthernet(frame);
  if (ethernet === undefined) return refused('truncated');
  if (ethernet.etherType !== etherType.arp) return refused('other-protocol');
  const reader = new ByteReader(ethernet.payload);
  const hardware = reader.u16();
  const protocol = reader.u16();
  const lengths = reader.u16();
  const operation = reader.u16();
  const packet = {
    senderMac: readMac(reader),
    senderIp: readIpv4(reader),
    targetMac: readMac(reader),
    targetIp: readIpv4(reader),
  };
  if (reader.overrun) return refused('truncated');
  if (hardware !== 1 || protocol !== etherType.ipv4 || lengths !== 0x0604) return refused('other-protocol');
  if (operation !== 1 && operation !== 2) return refused('unknown-type');
  return decoded({ operation: operation === 1 ? 'request' : 'reply', ...packet });
}

/** Asks who has `address` without claiming it (RFC 5227, 1.1). */
export function arpProbe(mac: Mac, address: Ipv4): ArpPacket {
  return { operation: 'request', senderMac: mac, senderIp: noIpv4, targetMac: noMac, targetIp: address };
}

/** Claims `address`, so that everybody's cache learns the MAC behind it (RFC 5227, 1.1). */
export function arpAnnouncement(mac: Mac, address: Ipv4): ArpPacket {
  return { operation: 'request', senderMac: mac, senderIp: address, targetMac: noMac, targetIp: address };
}

/** Does `packet` show that somebody else uses `address`? */
export function claimsAddress(packet: ArpPacket, address: Ipv4, own: Mac): boolean {
  return packet.senderIp === address && packet.senderMac !== own;
}

/** Does `packet` show that somebody else probes for `address` at this moment? */
export function probesAddress(packet: ArpPacket, address: Ipv4, own: Mac): boolean {
  return (
    packet.operation === 'request' &&
    packet.senderIp === noIpv4 &&
    packet.targetIp === address &&
    packet.senderMac !== own
  );
}
