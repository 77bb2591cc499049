/** Writes tar archives for tests, also such as no honest program would write. */

const blockBytes = 512;

export interface WrittenEntry {
  readonly name: string;
  /** The type flag: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder, 6 FIFO, x and g attributes, L long name. */
  readonly flag?: string;
  readonly content?: Uint8Array | string;
  /** Another size than that of the content; what does not fit into octal digits is written as a big number. */
  readonly size?: bigint | number;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export function tarOf(entries: readonly WrittenEntry[], end = true): Buffer {
  const blocks = entries.map(entryOf);
  return Buffer.concat(end ? [...blocks, Buffer.alloc(2 * blockBytes)] : blocks);
}

function entryOf(entry: WrittenEntry): Buffer {
  const { name, flag = '0', content = '', linkName = '', mode = 0o644, uid = 0, gid = 0 } = entry;
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100);
  writeNumber(header, 100, 8, BigInt(mode));
  writeNumber(header, 108, 8, BigInt(uid));
  writeNumber(header, 116, 8, BigInt(gid));
  writeNumber(header, 124, 12, BigInt(entry.size ?? bytes.length));
  writeNumber(header, 136, 12, 1_700_000_000n);
  header.write(flag, 156, 1, 'latin1');
  header.write(linkName, 157, 100);
  header.write('ustar\0' + '00', 257, 'latin1');
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([
    header,
    bytes,
    Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes),
  ]);
}

function writeNumber(header: Buffer, at: number, length: number, value: bigint): void {
  const digits = value.toString(8);
  if (value >= 0n && digits.length < length) {
    header.write(`${digits.padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  const big = BigInt.asUintN(length * 8, value) | (value < 0n ? 0n : 1n << BigInt(length * 8 - 1));
  for (let index = 0; index < length; index++)
    header[at + index] = Number((big >> BigInt((length - 1 - index) * 8)) & 0xffn);
}

/** The record of an extended attribute, which counts its own length. */
export function attribute(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (`${length}${rest}`.length !== length) {
    const next = Buffer.byteLength(`${length}${rest}`);
    if (next === length) break;
    length = next;
  }
  return `${length}${rest}`;
}

/** As it comes over a wire: in pieces of any size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
