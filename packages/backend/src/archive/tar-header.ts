/** One block of 512 bytes that says what comes next in a tar archive. */

export type TarType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'character device'
  | 'block device'
  | 'fifo'
  | 'long name'
  | 'long link'
  | 'attributes'
  | 'global attributes'
  | 'unknown';

export interface TarHeader {
  readonly name: string;
  readonly type: TarType;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeS: number;
  readonly size: number;
}

export const blockBytes = 512;

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
  L: 'long name',
  K: 'long link',
  x: 'attributes',
  X: 'attributes',
  g: 'global attributes',
};

export class TarError extends Error {}

/** Undefined: a block of zeros, which ends the archive. Throws when it is no header. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (block.length < blockBytes) throw new TarError('the archive ends in the middle of a header');
  if (block.every((byte) => byte === 0)) return undefined;
  if (number(block, 148, 8) !== checksum(block)) throw new TarError('a header has a wrong checksum');
  const flag = block.toString('latin1', 156, 157);
  const posix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = posix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const type = types[flag] ?? 'unknown';
  const whole = prefix === '' ? name : `${prefix}/${name}`;
  return {
    name: whole,
    // What ends in a slash was a directory before there was a type for them.
    type: type === 'file' && flag !== '7' && whole.endsWith('/') ? 'directory' : type,
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8),
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtimeS: number(block, 136, 12),
  };
}

function text(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal digits, or the bytes of a big number with the highest bit set. What no number can hold is NaN. */
function number(block: Buffer, from: number, length: number): number {
  const field = block.subarray(from, from + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = BigInt(first & 0x7f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    // Of two's complement only the sign is of interest: nothing may be negative.
    if ((first & 0x40) !== 0) return Number.NaN;
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.NaN;
  }
  const digits = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .replace(/^[\0 ]+/, '');
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function checksum(block: Buffer): number {
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
  return sum;
}
