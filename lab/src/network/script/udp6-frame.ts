/** UDP over IPv6 in Ethernet frames, with addresses as the bytes that they are: a reply turns those of the question round. */
export interface Udp6Frame {
  readonly sourceMac: Uint8Array;
  readonly destinationMac: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const udp = 17;
/** Where things begin in the frame. */
const at = { etherType: 12, ipv6: 14, nextHeader: 20, source: 22, destination: 38, datagram: 54 } as const;
const udpHeader = 8;

export function encodeUdp6Frame(frame: Udp6Frame): Uint8Array {
  const length = udpHeader + frame.payload.length;
  const bytes = Buffer.alloc(at.datagram + length);
  bytes.set(frame.destinationMac, 0);
  bytes.set(frame.sourceMac, 6);
  bytes.writeUInt16BE(0x86dd, at.etherType);
  bytes.writeUInt8(0x60, at.ipv6);
  bytes.writeUInt16BE(length, at.ipv6 + 4);
  bytes.writeUInt8(udp, at.nextHeader);
  bytes.writeUInt8(64, at.nextHeader + 1);
  bytes.set(frame.source, at.source);
  bytes.set(frame.destination, at.destination);
  const datagram = bytes.subarray(at.datagram);
  datagram.writeUInt16BE(frame.sourcePort, 0);
  datagram.writeUInt16BE(frame.destinationPort, 2);
  datagram.writeUInt16BE(length, 4);
  datagram.set(frame.payload, udpHeader);
  datagram.writeUInt16BE(checksum(bytes.subarray(at.source, at.datagram), datagram), 6);
  return bytes;
}

/** Undefined for whatever is no whole UDP datagram over IPv6. */
export function decodeUdp6Frame(frame: Uint8Array): Udp6Frame | undefined {
  const bytes = Buffer.from(frame);
  if (bytes.length < at.datagram + udpHeader) return undefined;
  if (bytes.readUInt16BE(at.etherType) !== 0x86dd || bytes.readUInt8(at.nextHeader) !== udp) return undefined;
  const datagram = bytes.subarray(at.datagram);
  const length = datagram.readUInt16BE(4);
  if (length < udpHeader || length > datagram.length) return undefined;
  return {
    destinationMac: bytes.subarray(0, 6),
    sourceMac: bytes.subarray(6, 12),
    source: bytes.subarray(at.source, at.destination),
    destination: bytes.subarray(at.destination, at.datagram),
    sourcePort: datagram.readUInt16BE(0),
    destinationPort: datagram.readUInt16BE(2),
    payload: new Uint8Array(datagram.subarray(udpHeader, length)),
  };
}

/** Over both addresses, the length, the protocol and the datagram (RFC 8200, 8.1). */
function checksum(addresses: Buffer, datagram: Buffer): number {
  let sum = datagram.length + udp;
  for (const piece of [addresses, datagram]) {
    for (let index = 0; index < piece.length; index += 2) {
      sum += (piece.readUInt8(index) << 8) | (index + 1 < piece.length ? piece.readUInt8(index + 1) : 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const result = ~sum & 0xffff;
  // Zero would say that there is none.
  return result === 0 ? 0xffff : result;
}
