/** Writes netlink messages, one after another, into one growing buffer. */
import { kernelErrors } from '../errors.ts';
import { NLA_F_NESTED } from './constants.ts';

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const LONGEST_ATTRIBUTE = 0xffff;

const aligned = (length: number): number => (length + 3) & ~3;

/**
 * Family headers and attributes go in by name of their form; the `be` forms are big-endian (all of netfilter), the others
 * are of this machine, which is little-endian on everything that we run on.
 */
export class MessageWriter {
  #buffer: Buffer;
  #end = 0;

  constructor(initialBytes = 512) {
    this.#buffer = Buffer.alloc(initialBytes);
  }

  /** All that was written; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  get length(): number {
    return this.#end;
  }

  /** Forgets everything and keeps the memory. */
  reset(): void {
    this.#end = 0;
  }

  /** One message; `body` writes what follows the header. */
  message(type: number, flags: number, sequence: number, body: (writer: this) => void): void {
    const start = this.#grow(HEADER_BYTES);
    this.#buffer.writeUInt16LE(type, start + 4);
    this.#buffer.writeUInt16LE(flags, start + 6);
    this.#buffer.writeUInt32LE(sequence, start + 8);
    this.#buffer.writeUInt32LE(0, start + 12);
    body(this);
    this.#buffer.writeUInt32LE(this.#end - start, start);
  }

  /** Bytes as they are, padded to the next multiple of four: fixed family headers. */
  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** An attribute without a value. */
  flag(type: number): void {
    this.#attribute(type, 0);
  }

  u8(type: number, value: number): void {
    const at = this.#attribute(type, 1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16LE(value, at);
  }

  u16be(type: number, value: number): void {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16BE(value, at);
  }

  u32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32LE(value, at);
  }

  u32be(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32BE(value, at);
  }

  i32(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeInt32LE(value, at);
  }

  i32be(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#buffer.writeInt32BE(value, at);
  }

  u64(type: number, value: bigint): void {
    const at = this.#attribute(type, 8);
    this.#buffer.writeBigUInt64LE(value, at);
  }

  u64be(type: number, value: bigint): void {
    const at = this.#attribute(type, 8);
    this.#buffer.writeBigUInt64BE(value, at);
  }

  /** A text with its closing NUL. */
  string(type: number, value: string): void {
    if (value.includes('\0')) {
      throw kernelErrors.error('KERNEL_BAD_VALUE', `the text ${JSON.stringify(value)} contains a NUL`);
    }
    const length = Buffer.byteLength(value);
    const at = this.#attribute(type, length + 1);
    this.#buffer.write(value, at);
    this.#buffer[at + length] = 0;
  }

  binary(type: number, value: Uint8Array): void {
    const at = this.#attribute(type, value.length);
    this.#buffer.set(value, at);
  }

  /** An attribute that holds attributes. */
  nested(type: number, body: (writer: this) => void): void {
    const start = this.#grow(ATTRIBUTE_HEADER_BYTES);
    this.#buffer.writeUInt16LE(type | NLA_F_NESTED, start + 2);
    body(this);
    const length = this.#end - start;
    if (length > LONGEST_ATTRIBUTE) throw tooLong(type, length);
    this.#buffer.writeUInt16LE(length, start);
  }

  /** Room for an attribute and its header; answers where its value goes. */
  #attribute(type: number, valueBytes: number): number {
    const length = ATTRIBUTE_HEADER_BYTES + valueBytes;
    if (length > LONGEST_ATTRIBUTE) throw tooLong(type, length);
    const start = this.#grow(length);
    this.#buffer.writeUInt16LE(length, start);
    this.#buffer.writeUInt16LE(type, start + 2);
    return start + ATTRIBUTE_HEADER_BYTES;
  }

  /** Room at the end, with its padding zeroed; answers where it begins. */
  #grow(length: number): number {
    const start = this.#end;
    const end = start + aligned(length);
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, start));
      this.#buffer = larger;
    }
    if (end !== start + length) this.#buffer.fill(0, start + length, end);
    this.#end = end;
    return start;
  }
}

function tooLong(type: number, length: number): Error {
  return kernelErrors.error(
    'KERNEL_MESSAGE_TOO_LONG',
    `attribute ${type} would take ${length} bytes, and its length field ends at ${LONGEST_ATTRIBUTE}`,
    { details: { attribute: type, length } },
  );
}
