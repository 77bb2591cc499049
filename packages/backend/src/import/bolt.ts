/**
 * Reads files of bbolt, the single-file store of earlier programs, from its public format: pages of a fixed size, two meta
 * pages of which the newer whole one counts, and trees of branch and leaf pages. Read only, and suspicious of every number in
 * the file: a damaged one is told of, and never followed out of the file or around in circles.
 */
import { fstatSync, readSync } from 'node:fs';
import { errors } from '../errors.ts';

const magic = 0xed0cdaed;
const version = 2;
const pageHeaderSize = 16;
const metaSize = 64;
const elementSize = 16;
const bucketHeaderSize = 16;
const pageKind = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
const bucketElement = 0x01;
/** A file without a list of free pages says so with this number. */
const noFreelist = 0xffff_ffff_ffff_ffffn;
const smallestPage = 1024;
const largestPage = 16 * 1024 * 1024;
/** No tree of any size is as deep. */
const deepest = 64;

interface Meta {
  readonly pageSize: number;
  readonly root: bigint;
  readonly freelist: bigint;
  /** No page has this number or a higher one. */
  readonly end: bigint;
  readonly transaction: bigint;
}

interface Page {
  readonly id: bigint;
  readonly flags: number;
  readonly count: number;
  readonly bytes: Buffer;
}

export interface BoltEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Element extends BoltEntry {
  readonly isBucket: boolean;
}

const damaged = (what: string): Error => errors.error('import_damaged', `the file is damaged: ${what}`);

export class BoltFile {
  readonly #fd: number;
  readonly #size: number;
  readonly #meta: Meta;

  /** The file stays the caller's to close. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    this.#meta = this.#newestMeta();
    this.#checkFreelist();
  }

  /** Everything in a bucket, in the order of its keys; undefined when there is no such bucket. */
  bucket(name: string): readonly BoltEntry[] | undefined {
    const wanted = Buffer.from(name, 'utf8');
    for (const { key, value, isBucket } of this.#tree(this.#meta.root, new Set()))
      if (key.equals(wanted)) {
        if (!isBucket) throw damaged(`"${name}" is no bucket`);
        return [...this.#bucket(value)];
      }
    return undefined;
  }

  *#bucket(header: Buffer): Generator<BoltEntry> {
    if (header.length < bucketHeaderSize) throw damaged('the header of a bucket is cut off');
    const root = header.readBigUInt64LE(0);
    const inline = header.subarray(bucketHeaderSize);
    const elements = root === 0n ? leafElements(parsePage(inline, undefined)) : this.#tree(root, new Set());
    // Buckets in this one are nothing that we know of.
    for (const { key, value, isBucket } of elements) if (!isBucket) yield { key, value };
  }

  *#tree(root: bigint, seen: Set<bigint>, depth = 0): Generator<Element> {
    if (depth > deepest) throw damaged('a tree is too deep');
    if (seen.has(root)) throw damaged(`page ${root} is reached twice`);
    seen.add(root);
    const page = this.#page(root);
    if (page.flags === pageKind.leaf) return yield* leafElements(page);
    if (page.flags !== pageKind.branch) throw damaged(`page ${root} has the kind ${page.flags}`);
    for (const child of branchChildren(page)) yield* this.#tree(child, seen, depth + 1);
  }

  #newestMeta(): Meta {
    const first = this.#metaAt(0, undefined);
    const metas = first === undefined ? [] : [first];
    // The second one lies behind the first page, whose size only a whole meta page tells.
    const sizes: number[] = [];
    if (first !== undefined) sizes.push(first.pageSize);
    else for (let size = smallestPage; size <= largestPage; size *= 2) sizes.push(size);
    for (const size of sizes) {
      const second = this.#metaAt(size, size);
      if (second !== undefined) metas.push(second);
    }
    const [newest] = metas.toSorted((a, b) => (a.transaction < b.transaction ? 1 : -1));
    if (newest === undefined)
      throw errors.error(
        'import_damaged',
        'this is no file of an earlier program, or both its heads are damaged',
      );
    return newest;
  }

  #metaAt(offset: number, pageSize: number | undefined): Meta | undefined {
    if (offset + pageHeaderSize + metaSize > this.#size) return undefined;
    const bytes = this.#read(offset, pageHeaderSize + metaSize);
    if ((bytes.readUInt16LE(8) & pageKind.meta) === 0) return undefined;
    const meta = bytes.subarray(pageHeaderSize);
    if (meta.readUInt32LE(0) !== magic || meta.readUInt32LE(4) !== version) return undefined;
    if (fnv1a64(meta.subarray(0, metaSize - 8)) !== meta.readBigUInt64LE(metaSize - 8)) return undefined;
    const size = meta.readUInt32LE(8);
    const plausible = size >= smallestPage && size <= largestPage && (size & (size - 1)) === 0;
    if (!plausible || (pageSize !== undefined && pageSize !== size)) return undefined;
    return {
      pageSize: size,
      root: meta.readBigUInt64LE(16),
      freelist: meta.readBigUInt64LE(32),
      end: meta.readBigUInt64LE(40),
      transaction: meta.readBigUInt64LE(48),
    };
  }

  /** Not needed to read what is there; but one that is not what it should be speaks of a damaged file. */
  #checkFreelist(): void {
    const { freelist } = this.#meta;
    if (freelist === noFreelist) return;
    const page = this.#page(freelist);
    if (page.flags !== pageKind.freelist) throw damaged(`page ${freelist} is no list of free pages`);
    const long = page.count === 0xffff;
    if (long && page.bytes.length < pageHeaderSize + 8) throw damaged('the list of free pages is cut off');
    const count = long ? Number(page.bytes.readBigUInt64LE(pageHeaderSize)) : page.count;
    if (pageHeaderSize + (count + (long ? 1 : 0)) * 8 > page.bytes.length)
      throw damaged('the list of free pages is cut off');
  }

  #page(id: bigint): Page {
    const { pageSize, end } = this.#meta;
    if (id < 2n || id >= end) throw damaged(`there is no page ${id}`);
    const offset = Number(id) * pageSize;
    if (offset + pageSize > this.#size) throw damaged(`page ${id} lies behind the end of the file`);
    const header = this.#read(offset, pageHeaderSize);
    const length = (header.readUInt32LE(12) + 1) * pageSize;
    if (offset + length > this.#size) throw damaged(`page ${id} goes on behind the end of the file`);
    return parsePage(this.#read(offset, length), id);
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#fd, bytes, done, length - done, offset + done);
      if (read === 0) throw damaged('it ends too early');
      done += read;
    }
    return bytes;
  }
}

/** `id` undefined: the page lies in a value and carries no number that counts. */
function parsePage(bytes: Buffer, id: bigint | undefined): Page {
  if (bytes.length < pageHeaderSize) throw damaged('a page is cut off');
  const written = bytes.readBigUInt64LE(0);
  if (id !== undefined && written !== id) throw damaged(`page ${id} says that it is page ${written}`);
  return { id: written, flags: bytes.readUInt16LE(8), count: bytes.readUInt16LE(10), bytes };
}

function elementsAt({ id, count, bytes }: Page): readonly number[] {
  if (pageHeaderSize + count * elementSize > bytes.length) throw damaged(`page ${id} is cut off`);
  return Array.from({ length: count }, (_, index) => pageHeaderSize + index * elementSize);
}

function* leafElements(page: Page): Generator<Element> {
  if (page.flags !== pageKind.leaf) throw damaged(`page ${page.id} is no leaf`);
  const { bytes } = page;
  let before: Buffer | undefined;
  for (const at of elementsAt(page)) {
    const flags = bytes.readUInt32LE(at);
    const start = at + bytes.readUInt32LE(at + 4);
    const keyEnd = start + bytes.readUInt32LE(at + 8);
    const end = keyEnd + bytes.readUInt32LE(at + 12);
    if (end > bytes.length) throw damaged(`an entry of page ${page.id} goes on behind its end`);
    const key = bytes.subarray(start, keyEnd);
    if (before !== undefined && Buffer.compare(before, key) >= 0)
      throw damaged(`the keys of page ${page.id} are not in order`);
    before = key;
    yield { key, value: bytes.subarray(keyEnd, end), isBucket: (flags & bucketElement) !== 0 };
  }
}

function branchChildren(page: Page): readonly bigint[] {
  if (page.count === 0) throw damaged(`page ${page.id} leads nowhere`);
  return elementsAt(page).map((at) => page.bytes.readBigUInt64LE(at + 8));
}

/** FNV-1a, 64 bit. */
function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x0000_0100_0000_01b3n);
  return hash;
}
