/**
 * Disks that write down what reaches them, and in which order: files of a file system of our own (FUSE), on each of which a
 * loop device stands. Each write and each flush of a device is a record; so is what a test writes into the file beside them.
 * A process of its own, because whoever works on a disk waits for it in the kernel.
 *
 *   node server.ts MOUNT-POINT JOURNAL IMAGE...
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, read, readSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { encodeRecord, type RecordKind } from './records.ts';

const [mountPoint = '', journalPath = '', ...imagePaths] = process.argv.slice(2);

const operations = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
} as const;

const root = 1n;
/** The file for marks, and after it the disks: `disk0` and so on. */
const markNode = 2n;
const firstDiskNode = 3n;
const longestWrite = 1 << 20;
const pageBytes = 4096;
const inHeaderBytes = 40;
const outHeaderBytes = 16;
const attrBytes = 88;
const alwaysS = 3600n;
const enoent = 2;
const enosys = 38;
const bigWrites = 1 << 5;
const maxPages = 1 << 22;
const directIo = 1;
const keepCache = 2;

const images = imagePaths.map((path) => openSync(path, 'r+'));
const journal = openSync(journalPath, 'a');
const nodes = new Map([
  ['mark', markNode],
  ...images.map((_, index) => [`disk${index}`, firstDiskNode + BigInt(index)] as const),
]);

interface Disk {
  readonly number: number;
  readonly image: number;
}

function diskOf(node: bigint): Disk | undefined {
  const number = Number(node - firstDiskNode);
  const image = images[number];
  return image === undefined ? undefined : { number, image };
}

function note(kind: RecordKind, disk: number, offset: number, data: Uint8Array): void {
  writeSync(journal, encodeRecord(kind, disk, offset, data.length));
  writeSync(journal, data);
}

function attributes(node: bigint): Buffer {
  const attr = Buffer.alloc(attrBytes);
  attr.writeBigUInt64LE(node, 0);
  const disk = diskOf(node);
  attr.writeBigUInt64LE(disk === undefined ? 0n : fstatSync(disk.image, { bigint: true }).size, 8);
  attr.writeUInt32LE(node === root ? 0o040_755 : 0o100_644, 60);
  attr.writeUInt32LE(1, 64);
  attr.writeUInt32LE(pageBytes, 80);
  return attr;
}

const numbers = (...values: readonly (bigint | number)[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(typeof value === 'bigint' ? 8 : 4);
      if (typeof value === 'bigint') bytes.writeBigUInt64LE(value);
      else bytes.writeUInt32LE(value >>> 0);
      return bytes;
    }),
  );

/** What is answered: bytes, an errno, or nothing at all. */
type Answer = Buffer | number | undefined;

function answer(operation: number, node: bigint, body: Buffer): Answer {
  switch (operation) {
    case operations.init:
      return init();
    case operations.lookup: {
      const found = nodes.get(body.toString('utf8', 0, body.indexOf(0)));
      if (found === undefined) return enoent;
      return Buffer.concat([numbers(found, 0n, alwaysS, alwaysS, 0, 0), attributes(found)]);
    }
    case operations.getattr:
    case operations.setattr:
      return Buffer.concat([numbers(alwaysS, 0, 0), attributes(node)]);
    case operations.open:
    case operations.opendir:
      return numbers(0n, node === markNode ? directIo : keepCache, 0);
    case operations.read:
      return readFrom(node, Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
    case operations.write:
      return write(node, Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + body.readUInt32LE(16)));
    case operations.fsync:
      note('flush', diskOf(node)?.number ?? 0, 0, new Uint8Array());
      return numbers();
    case operations.statfs:
      return Buffer.alloc(80);
    case operations.release:
    case operations.flush:
    case operations.readdir:
    case operations.releasedir:
    case operations.destroy:
      return numbers();
    case operations.forget:
    case operations.batchForget:
    case operations.interrupt:
      return undefined;
    default:
      return enosys;
  }
}

function init(): Buffer {
  const [major, minor, readAhead] = [7, 31, longestWrite];
  const counts = Buffer.alloc(4);
  counts.writeUInt16LE(12, 0);
  counts.writeUInt16LE(9, 2);
  const pages = Buffer.alloc(4);
  pages.writeUInt16LE(longestWrite / pageBytes, 0);
  return Buffer.concat([
    numbers(major, minor, readAhead, bigWrites | maxPages),
    counts,
    numbers(longestWrite, 1),
    pages,
    Buffer.alloc(32),
  ]);
}

function readFrom(node: bigint, offset: number, length: number): Answer {
  const disk = diskOf(node);
  if (disk === undefined) return numbers();
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(disk.image, bytes, 0, length, offset));
}

function write(node: bigint, offset: number, data: Buffer): Answer {
  const disk = diskOf(node);
  if (disk === undefined) note('mark', 0, 0, data);
  else {
    note('write', disk.number, offset, data);
    writeSync(disk.image, data, 0, data.length, offset);
  }
  return numbers(data.length, 0);
}

/** The tool may wait for our first answer, so nobody here waits for the tool. */
function mount(device: number): void {
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const child = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'berth-power-disk', mountPoint], {
    stdio: ['ignore', 'inherit', 'inherit', device],
  });
  child.on('exit', (code) => {
    if (code !== 0) process.exit(1);
    process.stdout.write('ready\n');
  });
}

const notMounted = 'EPERM';
const noLongerMounted = 'ENODEV';
const mountPollMs = 5;

/** The length of the next request; undefined when there will be none. */
async function next(device: number, into: Buffer): Promise<number | undefined> {
  for (;;) {
    try {
      return (await promisify(read)(device, into, 0, into.length, null)).bytesRead;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === noLongerMounted) return undefined;
      if (code !== notMounted) throw error;
      await pause(mountPollMs);
    }
  }
}

function reply(device: number, bytes: Buffer): void {
  try {
    writeSync(device, bytes);
  } catch (error) {
    // Whoever asked does not wait any more: the disk is being let go of.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function serve(): Promise<void> {
  ftruncateSync(journal, 0);
  const device = openSync('/dev/fuse', 'r+');
  mount(device);
  const request = Buffer.alloc(longestWrite + pageBytes);
  for (;;) {
    const length = await next(device, request);
    if (length === undefined) break;
    const unique = request.readBigUInt64LE(8);
    const found = answer(
      request.readUInt32LE(4),
      request.readBigUInt64LE(16),
      request.subarray(inHeaderBytes, length),
    );
    if (found === undefined) continue;
    const [errno, bytes] = typeof found === 'number' ? [found, numbers()] : [0, found];
    const header = Buffer.alloc(outHeaderBytes);
    header.writeUInt32LE(outHeaderBytes + bytes.length, 0);
    header.writeInt32LE(-errno, 4);
    header.writeBigUInt64LE(unique, 8);
    reply(device, Buffer.concat([header, bytes]));
  }
  for (const file of [journal, ...images]) closeSync(file);
}

await serve();
process.exit(0);
