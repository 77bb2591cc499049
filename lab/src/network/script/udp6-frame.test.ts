import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUdp6Frame, encodeUdp6Frame } from './udp6-frame.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const port = fc.integer({ min: 1, max: 65_535 });
const frame = fc.record({
  sourceMac: bytes(6),
  destinationMac: bytes(6),
  source: bytes(16),
  destination: bytes(16),
  sourcePort: port,
  destinationPort: port,
  payload: fc.uint8Array({ maxLength: 1400 }),
});

const plain = (value: object): object =>
  Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, part instanceof Uint8Array ? Array.from(part) : part]),
  );

/** What a receiver adds up (RFC 1071): addresses, length, protocol and datagram give all ones. */
function sumOf(encoded: Buffer): number {
  const datagram = encoded.subarray(54);
  const padded = Buffer.concat([encoded.subarray(22, 54), datagram, Buffer.alloc(datagram.length % 2)]);
  let sum = datagram.length + 17;
  for (let index = 0; index < padded.length; index += 2) sum += padded.readUInt16BE(index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

describe('a UDP frame over IPv6', () => {
  it('is read as it was written, with a checksum that adds up', () => {
    fc.assert(
      fc.property(frame, (wanted) => {
        const encoded = Buffer.from(encodeUdp6Frame(wanted));
        expect(plain(decodeUdp6Frame(encoded) ?? {})).toEqual(plain(wanted));
        expect(sumOf(encoded)).toBe(0xffff);
      }),
    );
  });

  it('is nothing when it is cut off or something else', () => {
    fc.assert(
      fc.property(frame, fc.nat(), (whole, cut) => {
        const encoded = encodeUdp6Frame(whole);
        expect(decodeUdp6Frame(encoded.subarray(0, cut % encoded.length))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (noise) => {
        expect(decodeUdp6Frame(noise)).toBeUndefined();
      }),
    );
  });
});
