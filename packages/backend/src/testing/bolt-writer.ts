/** Writes small files in the format of bbolt, for tests of the reader. Made from the format alone, apart from the reader. */
interface Pair {
  readonly key: string;
  readonly value: Uint8Array | string;
}

export interface BoltWriterOptions {
  readonly pageSize?: number;
  /** Entries of one leaf; more of them make branches. */
  readonly perLeaf?: number;
  readonly inline?: boolean;
}

const kinds = { branch: 1, leaf: 2, meta: 4, freelist: 16 };

class Writer {
  readonly pageSize: number;
  readonly pages = new Map<number, Buffer>();
  #next = 4;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
  }

  get end(): number {
    return this.#next;
  }

  /** A page with as much overflow as its content needs. */
  put(kind: number, count: number, body: Buffer, at?: number): number {
    const length = 16 + body.length;
    const span = Math.max(1, Math.ceil(length / this.pageSize));
    const id = at ?? this.#next;
    if (at === undefined) this.#next += span;
    const page = Buffer.alloc(span * this.pageSize);
    header(page, id, kind, count, span - 1);
    body.copy(page, 16);
    this.pages.set(id, page);
    return id;
  }

  bytes(): Buffer {
    const file = Buffer.alloc(this.#next * this.pageSize);
    for (const [id, page] of this.pages) page.copy(file, id * this.pageSize);
    return file;
  }
}

function header(page: Buffer, id: number, kind: number, count: number, overflow: number): void {
  page.writeBigUInt64LE(BigInt(id), 0);
  page.writeUInt16LE(kind, 8);
  page.writeUInt16LE(count, 10);
  page.writeUInt32LE(overflow, 12);
}

/** The elements of a leaf, then keys and values. */
function leafBody(entries: readonly { key: Buffer; value: Buffer; bucket: boolean }[]): Buffer {
  const elements = Buffer.alloc(entries.length * 16);
  const data: Buffer[] = [];
  let offset = elements.length;
  for (const [index, { key, value, bucket }] of entries.entries()) {
    elements.writeUInt32LE(bucket ? 1 : 0, index * 16);
    elements.writeUInt32LE(offset - index * 16, index * 16 + 4);
    elements.writeUInt32LE(key.length, index * 16 + 8);
    elements.writeUInt32LE(value.length, index * 16 + 12);
    data.push(key, value);
    offset += key.length + value.length;
  }
  return Buffer.concat([elements, ...data]);
}

function branchBody(children: readonly { key: Buffer; page: number }[]): Buffer {
  const elements = Buffer.alloc(children.length * 16);
  let offset = elements.length;
  for (const [index, { key, page }] of children.entries()) {
    elements.writeUInt32LE(offset - index * 16, index * 16);
    elements.writeUInt32LE(key.length, index * 16 + 4);
    elements.writeBigUInt64LE(BigInt(page), index * 16 + 8);
    offset += key.length;
  }
  return Buffer.concat([elements, ...children.map(({ key }) => key)]);
}

function tree(writer: Writer, pairs: readonly Pair[], perLeaf: number): number {
  const sorted = pairs
    .map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value), bucket: false }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  let level: { key: Buffer; page: number }[] = [];
  for (let at = 0; at === 0 || at < sorted.length; at += perLeaf) {
    const part = sorted.slice(at, at + perLeaf);
    level.push({
      key: part[0]?.key ?? Buffer.alloc(0),
      page: writer.put(kinds.leaf, part.length, leafBody(part)),
    });
  }
  while (level.length > 1) {
    const above: typeof level = [];
    for (let at = 0; at < level.length; at += perLeaf) {
      const part = level.slice(at, at + perLeaf);
      above.push({
        key: part[0]?.key ?? Buffer.alloc(0),
        page: writer.put(kinds.branch, part.length, branchBody(part)),
      });
    }
    level = above;
  }
  return level[0]?.page ?? 0;
}

/** A file with one bucket. */
export function boltFile(bucket: string, pairs: readonly Pair[], options: BoltWriterOptions = {}): Buffer {
  const { pageSize = 4096, perLeaf = 8, inline = false } = options;
  const writer = new Writer(pageSize);
  const head = Buffer.alloc(16);
  let value: Buffer;
  if (inline) {
    const sorted = pairs
      .map(({ key, value: one }) => ({ key: Buffer.from(key), value: Buffer.from(one), bucket: false }))
      .sort((a, b) => Buffer.compare(a.key, b.key));
    const page = Buffer.alloc(16);
    header(page, 0, kinds.leaf, sorted.length, 0);
    value = Buffer.concat([head, page, leafBody(sorted)]);
  } else {
    head.writeBigUInt64LE(BigInt(tree(writer, pairs, perLeaf)), 0);
    value = head;
  }
  const root = writer.put(kinds.leaf, 1, leafBody([{ key: Buffer.from(bucket), value, bucket: true }]));
  writer.put(kinds.freelist, 0, Buffer.alloc(0), 2);
  writer.put(kinds.leaf, 0, Buffer.alloc(0), 3);
  for (const [id, transaction] of [
    [0, 7],
    [1, 6],
  ] as const)
    writer.put(kinds.meta, 0, metaBody(pageSize, id === 0 ? root : 3, writer.end, transaction), id);
  return writer.bytes();
}

function metaBody(pageSize: number, root: number, end: number, transaction: number): Buffer {
  const meta = Buffer.alloc(64);
  meta.writeUInt32LE(0xed0cdaed, 0);
  meta.writeUInt32LE(2, 4);
  meta.writeUInt32LE(pageSize, 8);
  meta.writeBigUInt64LE(BigInt(root), 16);
  meta.writeBigUInt64LE(2n, 32);
  meta.writeBigUInt64LE(BigInt(end), 40);
  meta.writeBigUInt64LE(BigInt(transaction), 48);
  let hash = 0xcbf29ce484222325n;
  for (const byte of meta.subarray(0, 56)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  meta.writeBigUInt64LE(hash, 56);
  return meta;
}
