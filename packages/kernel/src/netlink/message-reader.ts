/**
 * Reads netlink messages. Whatever the bytes are, reading ends, and ends either with values or with KERNEL_MALFORMED: no
 * length is believed before it is checked.
 */
import { kernelErrors } from '../errors.ts';
import { NLA_TYPE_MASK } from './constants.ts';

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Whose request it answers or, in an event, whose request brought the change about (0: the kernel's own). */
  readonly portId: number;
  /** What follows the header. */
  readonly payload: Buffer;
}

/** The messages of one datagram. */
export function* messages(datagram: Buffer): Generator<NetlinkMessage, void, undefined> {
  for (let at = 0; at < datagram.length; ) {
    const left = datagram.length - at;
    const length = left < HEADER_BYTES ? 0 : datagram.readUInt32LE(at);
    if (length < HEADER_BYTES || length > left) {
      throw malformed(`a message at byte ${at} claims ${length} bytes of the ${left} that are left`);
    }
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      portId: datagram.readUInt32LE(at + 12),
      payload: datagram.subarray(at + HEADER_BYTES, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** The fixed header of a family at the start of a payload: checks that it is there. */
export function familyHeader(payload: Buffer, bytes: number): Buffer {
  if (payload.length < bytes) {
    throw malformed(`a family header of ${bytes} bytes is missing: the message has ${payload.length}`);
  }
  return payload.subarray(0, bytes);
}

/** For bounds that are checked already: `readUInt16LE` checks them again, at several times the price of the reading. */
const u16At = (bytes: Buffer, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** A run of attributes, read by type. Of an attribute that appears twice, the last one counts, as in the kernel. */
export class Attributes {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The attributes that follow a family header of `headerBytes`. */
  static after(payload: Buffer, headerBytes: number): Attributes {
    familyHeader(payload, headerBytes);
    return new Attributes(payload.subarray((headerBytes + 3) & ~3));
  }

  /** Each attribute's type (without its flags) and value, in order. */
  *each(): Generator<readonly [type: number, value: Buffer], void, undefined> {
    for (let at = 0; this.#more(at); ) {
      const end = this.#endOf(at);
      yield [
        u16At(this.#bytes, at + 2) & NLA_TYPE_MASK,
        this.#bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, end),
      ];
      at = (end + 3) & ~3;
    }
  }

  has(type: number): boolean {
    return this.binary(type) !== undefined;
  }

  binary(type: number): Buffer | undefined {
    let found: Buffer | undefined;
    for (let at = 0; this.#more(at); ) {
      const end = this.#endOf(at);
      if ((u16At(this.#bytes, at + 2) & NLA_TYPE_MASK) === type) {
        found = this.#bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, end);
      }
      at = (end + 3) & ~3;
    }
    return found;
  }

  u8(type: number): number | undefined {
    return this.#sized(type, 1)?.readUInt8(0);
  }

  u16(type: number): number | undefined {
    return this.#sized(type, 2)?.readUInt16LE(0);
  }

  u16be(type: number): number | undefined {
    return this.#sized(type, 2)?.readUInt16BE(0);
  }

  u32(type: number): number | undefined {
    return this.#sized(type, 4)?.readUInt32LE(0);
  }

  u32be(type: number): number | undefined {
    return this.#sized(type, 4)?.readUInt32BE(0);
  }

  i32(type: number): number | undefined {
    return this.#sized(type, 4)?.readInt32LE(0);
  }

  i32be(type: number): number | undefined {
    return this.#sized(type, 4)?.readInt32BE(0);
  }

  u64(type: number): bigint | undefined {
    return this.#sized(type, 8)?.readBigUInt64LE(0);
  }

  u64be(type: number): bigint | undefined {
    return this.#sized(type, 8)?.readBigUInt64BE(0);
  }

  /** A text; its NUL and whatever follows it are left out. */
  string(type: number): string | undefined {
    const value = this.binary(type);
    if (value === undefined) return undefined;
    const nul = value.indexOf(0);
    return value.toString('utf8', 0, nul < 0 ? value.length : nul);
  }

  nested(type: number): Attributes | undefined {
    const value = this.binary(type);
    return value === undefined ? undefined : new Attributes(value);
  }

  #sized(type: number, bytes: number): Buffer | undefined {
    const value = this.binary(type);
    if (value !== undefined && value.length < bytes) {
      throw malformed(`attribute ${type} has ${value.length} bytes instead of ${bytes}`);
    }
    return value;
  }

  /** Less than a header at the end is padding. */
  #more(at: number): boolean {
    return this.#bytes.length - at >= ATTRIBUTE_HEADER_BYTES;
  }

  #endOf(at: number): number {
    const left = this.#bytes.length - at;
    const length = u16At(this.#bytes, at);
    if (length < ATTRIBUTE_HEADER_BYTES || length > left) {
      throw malformed(`an attribute at byte ${at} claims ${length} bytes of the ${left} that are left`);
    }
    return at + length;
  }
}

export function malformed(why: string): Error {
  return kernelErrors.error('KERNEL_MALFORMED', `a netlink message is malformed: ${why}`);
}
