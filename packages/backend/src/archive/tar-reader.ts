/**
 * Reads a tar archive from a stream, entry by entry. Nothing of it is held in memory but one header, whose size has a limit:
 * whatever an archive claims, reading it cannot take more than a fixed amount.
 */
import { ByteSource } from './byte-source.ts';
import { blockBytes, parseHeader, TarError, type TarHeader, type TarType } from './tar-header.ts';

export interface TarEntry extends TarHeader {
  /** Its bytes, once. What is not read is passed over when the next entry is asked for. */
  readonly content: () => AsyncGenerator<Uint8Array>;
}

/** A path has at most 4096 bytes; extended attributes of files up to 64 KiB each, and there may be several. */
const longestAttributes = 1024 * 1024;

/** The types that describe the next entry and are none themselves. */
const descriptions: readonly TarType[] = ['long name', 'long link', 'attributes', 'global attributes'];

interface Overrides {
  name?: string;
  linkName?: string;
  attributes?: ReadonlyMap<string, string>;
}

export async function* tarEntries(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  await using source = new ByteSource(archive);
  let overrides: Overrides = {};
  for (;;) {
    const block = await source.exactly(blockBytes);
    // Some writers leave out the blocks of zeros.
    if (block.length === 0) return;
    const header = parseHeader(block);
    if (header === undefined) return;
    if (descriptions.includes(header.type)) {
      overrides = await described(source, header, overrides);
      continue;
    }
    const whole = apply(header, overrides);
    overrides = {};
    const bytes = hasContent(whole.type) ? whole.size : 0;
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      throw new TarError(`the size of ${JSON.stringify(whole.name)} is none`);
    let left = bytes;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const piece = await source.some(left);
        if (piece === undefined) throw new TarError('the archive ends in the middle of a file');
        left -= piece.length;
        yield piece;
      }
    };
    yield { ...whole, size: bytes, content };
    if (!(await source.skip(left + padding(bytes))) && left > 0)
      throw new TarError('the archive ends in the middle of a file');
  }
}

const padding = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes;

/** Links, directories and devices have none, whatever their size says. */
const hasContent = (type: TarType): boolean => type === 'file' || type === 'unknown';

async function described(source: ByteSource, header: TarHeader, before: Overrides): Promise<Overrides> {
  const { size, type } = header;
  if (!Number.isSafeInteger(size) || size < 0 || size > longestAttributes)
    throw new TarError(`an entry is described in ${size} bytes, more than ${longestAttributes}`);
  const bytes = await source.exactly(size);
  await source.skip(padding(size));
  if (bytes.length < size) throw new TarError('the archive ends in the middle of a description');
  if (type === 'long name') return { ...before, name: untilNul(bytes) };
  if (type === 'long link') return { ...before, linkName: untilNul(bytes) };
  if (type === 'attributes') return { ...before, attributes: parseAttributes(bytes) };
  // Of all entries that follow, and of nothing that is used here.
  return before;
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Records of the form "length key=value\n", the length in bytes and counting itself. */
function parseAttributes(bytes: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : bytes.toString('latin1', at, blank);
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : 0;
    if (length <= digits.length + 2 || at + length > bytes.length || bytes[at + length - 1] !== 0x0a)
      throw new TarError('the attributes of an entry are no attributes');
    const record = bytes.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals > 0) found.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return found;
}

function apply(header: TarHeader, { name, linkName, attributes }: Overrides): TarHeader {
  const number = (key: string, otherwise: number): number => {
    const written = attributes?.get(key);
    if (written === undefined) return otherwise;
    return /^\d{1,16}(\.\d*)?$/.test(written) ? Math.floor(Number(written)) : Number.NaN;
  };
  const longName = attributes?.get('path') ?? name ?? header.name;
  // The bytes of a file with holes are not its content.
  const sparse = [...(attributes?.keys() ?? [])].some((key) => key.startsWith('GNU.sparse.'));
  return {
    ...header,
    type: sparse ? 'unknown' : header.type,
    name: longName,
    linkName: attributes?.get('linkpath') ?? linkName ?? header.linkName,
    size: number('size', header.size),
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
    mtimeS: number('mtime', header.mtimeS),
  };
}
