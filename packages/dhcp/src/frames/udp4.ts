import { type Ipv4, ipv4Bytes, ipv4FromBytes, type Mac } from '../wire/addresses.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import { internetChecksum } from '../wire/checksum.ts';
import { type Decoded, decoded, refused } from '../wire/decoded.ts';
import { etherType, putEthernetHeader, splitEthernet } from './ethernet.ts';

/** A UDP datagram over IPv4 in its Ethernet frame. */
export interface UdpFrame {
  readonly sourceMac: Mac;
  readonly destinationMac: Mac;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/**
 * Whether the UDP checksum of a frame means anything. Between two ends of a virtual link the kernel leaves it to
 * hardware that does not exist, and says so beside the frame.
 */
export type UdpChecksum = 'verify' | 'not-computed';

const udp = 17;
const timeToLive = 64;

export function encodeUdpFrame(frame: UdpFrame): Uint8Array {
  const source = ipv4Bytes(frame.source);
  const destination = ipv4Bytes(frame.destination);
  const length = 8 + frame.payload.length;

  const ip = (checksum: number): Uint8Array =>
    new ByteWriter()
      .u8(0x45)
      .u8(0)
      .u16(20 + length)
      .u32(0)
      .u8(timeToLive)
      .u8(udp)
      .u16(checksum)
      .put(source)
      .put(destination)
      .bytes();
  const datagram = (checksum: number): Uint8Array =>
    new ByteWriter()
      .u16(frame.sourcePort)
      .u16(frame.destinationPort)
      .u16(length)
      .u16(checksum)
      .put(frame.payload)
      .bytes();

  const sum = udpChecksum(source, destination, datagram(0));
  return putEthernetHeader(new ByteWriter(), {
    destination: frame.destinationMac,
    source: frame.sourceMac,
    etherType: etherType.ipv4,
  })
    .put(ip(internetChecksum(ip(0))))
    .put(datagram(sum === 0 ? 0xffff : sum))
    .bytes();
}

/** Takes a frame apart; bytes behind the datagram (Ethernet padding) are not looked at. */
export function decodeUdpFrame(frame: Uint8Array, checksum: UdpChecksum): Decoded<UdpFrame> {
  const ethernet = splitEthernet(frame);
  if (ethernet === undefined) return refused('truncated');
  if (ethernet.etherType !== etherType.ipv4) return refused('other-protocol');
  const packet = ethernet.payload;
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  if ((packet[0] ?? 0) >>> 4 !== 4) return refused('other-protocol');
  if (headerLength < 20 || packet.length < headerLength) return refused('truncated');
  const ip = new ByteReader(packet.subarray(2));
  const totalLength = ip.u16();
  ip.u16();
  const fragment = ip.u16() & 0x3fff;
  ip.u8();
  if (ip.u8() !== udp) return refused('other-protocol');
  if (fragment !== 0) return refused('fragment');
  if (totalLength < headerLength + 8 || totalLength > packet.length) return refused('truncated');
  if (internetChecksum(packet.subarray(0, headerLength)) !== 0) return refused('bad-checksum');

  const source = packet.subarray(12, 16);
  const destination = packet.subarray(16, 20);
  const segment = packet.subarray(headerLength, totalLength);
  const reader = new ByteReader(segment);
  const sourcePort = reader.u16();
  const destinationPort = reader.u16();
  const length = reader.u16();
  if (length < 8 || length > segment.length) return refused('truncated');
  const datagram = segment.subarray(0, length);
  const carried = reader.u16();
  if (checksum === 'verify' && carried !== 0 && udpChecksum(source, destination, datagram) !== 0) {
    return refused('bad-checksum');
  }
  return decoded({
    sourceMac: ethernet.source,
    destinationMac: ethernet.destination,
    source: ipv4FromBytes(source),
    destination: ipv4FromBytes(destination),
    sourcePort,
    destinationPort,
    payload: datagram.subarray(8),
  });
}

function udpChecksum(source: Uint8Array, destination: Uint8Array, datagram: Uint8Array): number {
  const pseudo = new ByteWriter().put(source).put(destination).u8(0).u8(udp).u16(datagram.length).bytes();
  return internetChecksum(pseudo, datagram);
}
