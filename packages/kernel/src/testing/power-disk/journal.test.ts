import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { type DiskRecord, decodeJournal, encodeRecord } from './records.ts';

const sector = 4096;
const write = (disk: number, at: number, letters: string): DiskRecord => ({
  kind: 'write',
  disk,
  offset: at * sector,
  data: Buffer.concat(Array.from(letters, (letter) => Buffer.alloc(sector, letter))),
});
const flush = (disk: number): DiskRecord => ({ kind: 'flush', disk, offset: 0, data: Buffer.alloc(0) });
const mark = (text: string): DiskRecord => ({ kind: 'mark', disk: 0, offset: 0, data: Buffer.from(text) });

const records = [
  write(0, 0, 'ab'),
  write(1, 0, 'x'),
  mark('begin'),
  flush(0),
  write(0, 1, 'cd'),
  write(1, 1, 'y'),
  flush(1),
  write(0, 0, 'e'),
];

describe('the journal of disks', () => {
  let folder: string;
  let journal: Journal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-journal-'));
    journal = new Journal(records, { disks: 2, sizeBytes: 4 * sector, folder, random: seededRandom(3) });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A letter for each sector. */
  const lettersOf = (path: string): string => {
    const bytes = readFileSync(path);
    return Array.from({ length: 4 }, (_, index) =>
      bytes.toString('latin1', index * sector, index * sector + 1),
    )
      .join('')
      .replaceAll('\0', '.');
  };
  const cut = (...args: Parameters<Journal['cut']>): string[] => journal.cut(...args).map(lettersOf);

  it('is written and read back', () => {
    const bytes = records.map(({ kind, disk, offset, data }) =>
      Buffer.concat([encodeRecord(kind, disk, offset, data.length), data]),
    );
    expect(decodeJournal(Buffer.concat(bytes))).toEqual(records);
    expect(() => decodeJournal(Buffer.alloc(16, 9))).toThrow(/damaged/);
  });

  it('leaves of each disk what was flushed there before the cut, and nothing else', () => {
    expect(cut(3, 'all')).toEqual(['....', '....']);
    expect(cut(4, 'all')).toEqual(['ab..', '....']);
    expect(cut(8, 'all')).toEqual(['ab..', 'xy..']);
    expect(cut(4, 'all'), 'an earlier one again').toEqual(['ab..', '....']);
  });

  it('leaves everything when a disk has written all by itself', () => {
    expect(cut(8, 'none')).toEqual(['ecd.', 'xy..']);
  });

  it('leaves any part of what was not flushed, sector by sector', () => {
    const seen = new Set(Array.from({ length: 100 }, () => cut(8, 'some')[0]));
    expect([...seen].sort()).toEqual(['ab..', 'abd.', 'ac..', 'acd.', 'eb..', 'ebd.', 'ec..', 'ecd.'].sort());
  });

  it('knows its marks, and the moments that differ', () => {
    expect(journal.marks).toEqual([{ at: 2, text: 'begin' }]);
    expect(journal.moments(2)).toEqual([3, 4, 6, 7]);
  });
});
