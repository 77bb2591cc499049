/** What is left of disks when the power fails: all that was flushed, and of what was written since, whatever chance leaves. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import type { Random } from '@berth/service';
import type { DiskRecord } from './records.ts';

export interface Mark {
  /** How many records came before it. */
  readonly at: number;
  readonly text: string;
}

/** What becomes of writes that were never flushed. */
export type Loss = 'all' | 'some' | 'none';

/** A disk may lose any part of a write that is larger than this. */
const sectorBytes = 4096;

export interface JournalOptions {
  readonly disks: number;
  readonly sizeBytes: number;
  /** Where the images are made. */
  readonly folder: string;
  readonly random: Random;
}

export class Journal {
  readonly records: readonly DiskRecord[];
  readonly marks: readonly Mark[];
  readonly #options: JournalOptions;
  readonly #flushed: readonly FlushedDisk[];
  #cuts = 0;

  constructor(records: readonly DiskRecord[], options: JournalOptions) {
    this.records = records;
    this.marks = records.flatMap(({ kind, data }, at) =>
      kind === 'mark' ? [{ at, text: data.toString('utf8') }] : [],
    );
    this.#options = options;
    const { disks, folder, sizeBytes } = options;
    this.#flushed = Array.from(
      { length: disks },
      (_, disk) => new FlushedDisk(records, disk, `${folder}/flushed${disk}`, sizeBytes),
    );
  }

  /** The moments after which something is different on a disk: each flush, and each last write before one. */
  moments(from: number): readonly number[] {
    return this.records.flatMap(({ kind }, at) =>
      at >= from && (kind === 'flush' || this.records[at + 1]?.kind === 'flush') ? [at + 1] : [],
    );
  }

  /** Writes each disk as it is after a cut behind so many records into a new file. Cheapest from early to late. */
  cut(at: number, loss: Loss): readonly string[] {
    const cut = ++this.#cuts;
    return this.#flushed.map((disk, number) => {
      const path = `${this.#options.folder}/cut-${cut}-${number}`;
      const unflushed = disk.copyBefore(at, path);
      apply(path, this.#left(unflushed, loss));
      return path;
    });
  }

  #left(written: readonly DiskRecord[], loss: Loss): readonly DiskRecord[] {
    if (loss === 'all') return [];
    if (loss === 'none') return written;
    return written.flatMap(sectorsOf).filter(() => this.#options.random() < 0.5);
  }
}

/** One disk with all on it that was flushed before some moment. */
class FlushedDisk {
  readonly #records: readonly DiskRecord[];
  readonly #disk: number;
  readonly #path: string;
  readonly #sizeBytes: number;
  #done = 0;

  constructor(records: readonly DiskRecord[], disk: number, path: string, sizeBytes: number) {
    this.#records = records;
    this.#disk = disk;
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#empty();
  }

  #empty(): void {
    writeFileSync(this.#path, '');
    truncateSync(this.#path, this.#sizeBytes);
    this.#done = 0;
  }

  /** Hands back what was written before the moment and not flushed. */
  copyBefore(at: number, path: string): readonly DiskRecord[] {
    const isOurs = ({ disk, kind }: DiskRecord): boolean => disk === this.#disk && kind !== 'mark';
    const isFlush = (record: DiskRecord): boolean => isOurs(record) && record.kind === 'flush';
    const flushedAt = this.#records.slice(0, at).findLastIndex(isFlush) + 1;
    if (flushedAt < this.#done) this.#empty();
    apply(this.#path, this.#records.slice(this.#done, flushedAt).filter(isOurs));
    this.#done = flushedAt;
    const copy = ['--sparse=always', '--reflink=auto', this.#path, path];
    const { status, stderr } = spawnSync('cp', copy, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return this.#records.slice(flushedAt, at).filter(isOurs);
  }
}

function sectorsOf(record: DiskRecord): readonly DiskRecord[] {
  const count = Math.ceil(record.data.length / sectorBytes);
  return Array.from({ length: count }, (_, index) => {
    const from = index * sectorBytes;
    return {
      ...record,
      offset: record.offset + from,
      data: record.data.subarray(from, from + sectorBytes),
    };
  });
}

function apply(path: string, records: readonly DiskRecord[]): void {
  const file = openSync(path, 'r+');
  try {
    for (const { kind, offset, data } of records)
      if (kind === 'write') writeSync(file, data, 0, data.length, offset);
  } finally {
    closeSync(file);
  }
}
