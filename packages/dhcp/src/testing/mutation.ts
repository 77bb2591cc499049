import type { Random } from './random.ts';

/** Bytes that decoders like to trip over: nothing, everything, the ends of signed numbers, the marks of DHCP. */
const awkward = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff] as const;

/** A damaged copy of `original`: bytes changed, cut off, doubled, inserted or removed, several times over. */
export function mutated(original: Uint8Array, random: Random): Uint8Array {
  let bytes = original.slice();
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const at = random.below(bytes.length + 1);
    const length = random.below(20);
    switch (random.below(6)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = random.pick(awkward);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
        break;
      case 4:
        bytes = joined(bytes.subarray(0, at + length), bytes.subarray(at));
        break;
      default:
        bytes = joined(bytes.subarray(0, at), random.bytes(length), bytes.subarray(at));
    }
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
