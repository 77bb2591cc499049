import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tarOf, type WrittenEntry } from '../testing/tar-archive.ts';
import { seedScratch } from './scratch.ts';

const never = new AbortController().signal;

describe('the folder that is seeded from an image', () => {
  let volume: string;
  beforeEach(() => {
    volume = mkdtempSync(join(tmpdir(), 'berth-scratch-'));
  });
  afterEach(() => rmSync(volume, { recursive: true, force: true }));
  const inside = (...names: readonly string[]): string => join(volume, '_wp', ...names);

  /** With what is left of the budget afterwards, and the paths that were left out. */
  async function seed(content: Readonly<Record<string, readonly WrittenEntry[]>>, bytes: number) {
    const budget = { bytes, entries: 100 };
    const leftOut: string[] = [];
    const binds = await seedScratch({
      volume,
      paths: Object.keys(content),
      budget,
      contentOf: async (path, use) => {
        const archive = tarOf(content[path] ?? []);
        await use(
          (async function* () {
            yield archive;
          })(),
        );
        return true;
      },
      signal: never,
      onLeftOut: (path) => leftOut.push(path),
    });
    return { binds, budget, leftOut };
  }

  it('has nothing of a path that failed, which is charged for what it wrote all the same', async () => {
    const { binds, budget, leftOut } = await seed(
      {
        '/var/lib/broken': [
          { name: 'broken', flag: '5' },
          { name: 'broken/big', content: 'x'.repeat(60) },
          { name: 'broken/same', flag: '1', linkName: 'broken/big' },
          { name: 'broken/pipe', flag: '6' },
        ],
        '/var/lib/large': [
          { name: 'large', flag: '5' },
          // Without the charge there would be room.
          { name: 'large/file', content: 'x'.repeat(50) },
        ],
        '/var/lib/small': [
          { name: 'small', flag: '5' },
          { name: 'small/file', content: 'x'.repeat(40) },
        ],
      },
      100,
    );
    expect(leftOut).toEqual(['/var/lib/broken', '/var/lib/large']);
    expect([...binds]).toEqual([['/var/lib/small', inside('var', 'lib', 'small')]]);
    expect(readdirSync(inside('var', 'lib'))).toEqual(['small']);
    // Four names of the first, two of the second, two of the third.
    expect(budget).toEqual({ bytes: 0, entries: 100 - 8 });
  });

  it('has hard links within a path as one file, whose bytes are charged once', async () => {
    const { budget, leftOut } = await seed(
      {
        '/srv/app': [
          { name: 'app', flag: '5' },
          { name: 'app/tool', content: 'run me' },
          { name: 'app/same', flag: '1', linkName: 'app/tool' },
        ],
        '/srv/other': [
          { name: 'other', flag: '5' },
          { name: 'other/theirs', flag: '1', linkName: '../../etc/passwd' },
        ],
      },
      6,
    );
    expect(statSync(inside('srv', 'app', 'same')).ino).toBe(statSync(inside('srv', 'app', 'tool')).ino);
    expect(readFileSync(inside('srv', 'app', 'same'), 'utf8')).toBe('run me');
    expect([budget.bytes, leftOut, existsSync(inside('srv', 'other'))]).toEqual([0, ['/srv/other'], false]);
  });
});
