import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attribute, inPieces, tarOf, type WrittenEntry } from '../testing/tar-archive.ts';
import { ConfinedFolder } from './confined-folder.ts';
import { type ContentBudget, extract } from './extract.ts';

/** Without following links, as `readdir` with `recursive` would. */
const everythingIn = (folder: string): Stats[] =>
  readdirSync(folder).flatMap((name) => {
    const stat = lstatSync(join(folder, name));
    return stat.isDirectory() ? [stat, ...everythingIn(join(folder, name))] : [stat];
  });

const never = new AbortController().signal;

describe('content of an image, unpacked into a volume', () => {
  let place: string;
  let destination: string;
  const inside = (...names: readonly string[]): string => join(destination, ...names);

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'berth-extract-'));
    destination = join(place, 'volume');
    mkdirSync(destination, { mode: 0o750 });
    mkdirSync(join(place, 'outside'));
    writeFileSync(join(place, 'outside', 'canary'), 'sings');
    writeFileSync(join(place, 'canary'), 'sings');
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  async function unpack(
    entries: readonly WrittenEntry[],
    budget: ContentBudget = { bytes: 2 ** 20, entries: 1000 },
  ): Promise<ContentBudget> {
    await using folder = await ConfinedFolder.open(destination);
    await extract(inPieces(tarOf(entries), 1000), folder, budget, never);
    return budget;
  }
  const refused = { code: 'volume_content' };

  function outsideIsUntouched(): void {
    expect(readdirSync(place).sort()).toEqual(['canary', 'outside', 'volume']);
    expect(readdirSync(join(place, 'outside'))).toEqual(['canary']);
    expect(readFileSync(join(place, 'outside', 'canary'), 'utf8')).toBe('sings');
    expect(readFileSync(join(place, 'canary'), 'utf8')).toBe('sings');
    expect(statSync(join(place, 'outside')).mode & 0o777).toBe(0o755);
    expect(statSync(destination).mode & 0o777).toBe(0o750);
  }

  it('has its files, folders and links, with plain permissions and nothing that gives rights', async () => {
    const budget = await unpack([
      // Said of all entries, and of nothing that is used here.
      { name: 'global', flag: 'g', content: attribute('comment', 'x') },
      { name: './', flag: '5', mode: 0o777 },
      { name: 'app', flag: '5', mode: 0o5055 },
      { name: 'app/tool', content: 'run me', mode: 0o6755 },
      { name: 'deep/er/file', content: 'x' },
      { name: '..data', content: 'dots' },
      { name: 'app/link', flag: '2', linkName: '/etc/passwd' },
      { name: 'app/up', flag: '2', linkName: '../../..' },
      { name: 'app/same', flag: '1', linkName: 'app/tool' },
    ]);
    expect(statSync(inside('app')).mode & 0o7777).toBe(0o755);
    expect(statSync(inside('app', 'tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(inside('app', 'tool')).mtimeMs).toBe(1_700_000_000_000);
    expect(statSync(inside('deep')).mode & 0o777).toBe(0o700);
    expect(readFileSync(inside('..data'), 'utf8')).toBe('dots');
    expect([readlinkSync(inside('app', 'link')), readlinkSync(inside('app', 'up'))]).toEqual([
      '/etc/passwd',
      '../../..',
    ]);
    expect(statSync(inside('app', 'same')).ino).toBe(statSync(inside('app', 'tool')).ino);
    // Two folders on the way to a file count, and what stands for the destination itself does not.
    expect(budget).toEqual({ bytes: 2 ** 20 - 11, entries: 1000 - 9 });
    outsideIsUntouched();
  });

  it.each([
    '/etc/passwd',
    '..',
    '../canary',
    'a/../../canary',
    './../canary',
    '//canary',
  ])('refuses an entry that leads to %j', async (name) => {
    await expect(unpack([{ name, content: 'evil' }])).rejects.toMatchObject(refused);
    outsideIsUntouched();
  });

  it.each([
    ['a file through a link', [{ name: 'way/canary', content: 'evil' }]],
    ['a file in the place of a link', [{ name: 'way', content: 'evil' }]],
    ['a folder in the place of a link', [{ name: 'way', flag: '5', mode: 0o777 }]],
    ['a folder through a link', [{ name: 'way/new', flag: '5' }]],
    ['a link through a link', [{ name: 'way/new', flag: '2', linkName: 'x' }]],
    ['another name for what is outside', [{ name: 'mine', flag: '1', linkName: 'way/canary' }]],
    ['another name for a link', [{ name: 'mine', flag: '1', linkName: 'way' }]],
    ['another name for what is above', [{ name: 'mine', flag: '1', linkName: '../canary' }]],
  ] as const)('does not write %s', async (_, entries) => {
    for (const linkName of ['../outside', join(place, 'outside'), '..']) {
      rmSync(inside('way'), { force: true });
      await expect(unpack([{ name: 'way', flag: '2', linkName }, ...entries])).rejects.toThrow();
      outsideIsUntouched();
      expect(existsSync(inside('mine'))).toBe(false);
    }
    // Also when a tenant has planted the link, and when it leads nowhere else.
    rmSync(inside('way'), { force: true });
    symlinkSync('/', inside('way'));
    await expect(unpack(entries)).rejects.toThrow();
    outsideIsUntouched();
  });

  it.each([
    ['a character device', '3'],
    ['a block device', '4'],
    ['a FIFO', '6'],
    ['a file with holes', 'S'],
    ['what nobody knows', '?'],
  ])('refuses %s', async (_, flag) => {
    await expect(unpack([{ name: 'thing', flag }])).rejects.toMatchObject(refused);
    expect(existsSync(inside('thing'))).toBe(false);
  });

  it('stops at the last byte and the last name that the volume may have', async () => {
    await unpack([{ name: 'fits', content: 'x'.repeat(100) }], { bytes: 100, entries: 1 });
    await expect(
      unpack([{ name: 'more', content: 'x'.repeat(101) }], { bytes: 100, entries: 9 }),
    ).rejects.toMatchObject(refused);
    expect(existsSync(inside('more'))).toBe(false);
    const names = Array.from({ length: 4 }, (_, index) => ({ name: `n${index}` }));
    await expect(unpack(names, { bytes: 0, entries: 3 })).rejects.toMatchObject(refused);
    expect(readdirSync(destination).sort()).toEqual(['fits', 'n0', 'n1', 'n2']);
    await expect(unpack([{ name: 'a/b/c/d' }], { bytes: 0, entries: 3 })).rejects.toMatchObject(refused);
  });

  it.each([
    2n ** 63n - 1n,
    2n ** 64n - 1n,
    2n ** 53n - 1n,
    -1n,
  ])('never lets a size of %d pass for a small one', async (size) => {
    await expect(
      unpack(
        [
          { name: 'first', content: 'x' },
          { name: 'bomb', size, content: 'x'.repeat(2000) },
        ],
        { bytes: 1000, entries: 9 },
      ),
    ).rejects.toThrow();
    expect(existsSync(inside('bomb'))).toBe(false);
  });

  it('goes no deeper than names may be, without falling over', async () => {
    const name = 'd/'.repeat(40);
    const steps = Array.from({ length: 60 }, (_, index) => ({ name: `${name}${index}`, flag: '5' }));
    await unpack(steps);
    await expect(unpack(steps, { bytes: 0, entries: 10 })).rejects.toMatchObject(refused);
  });

  it('of any kind stays inside and within the budget', async () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'c', '..', '.', '', 'outside', 'canary'), {
        minLength: 1,
        maxLength: 5,
      })
      .map((names) => names.join('/'));
    const entry: fc.Arbitrary<WrittenEntry> = fc.record({
      name: fc.oneof(
        name,
        name.map((one) => `/${one}`),
      ),
      flag: fc.constantFrom('0', '0', '5', '5', '2', '2', '1', '3', '6'),
      content: fc.string({ maxLength: 300 }),
      linkName: fc.oneof(name, fc.constantFrom('..', '../outside', '../outside/canary', '/', '../..')),
      mode: fc.nat(0o7777),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 12 }),
        fc.nat(1000),
        fc.nat(20),
        async (entries, bytes, most) => {
          rmSync(destination, { recursive: true, force: true });
          mkdirSync(destination, { mode: 0o750 });
          await unpack(entries, { bytes, entries: most }).catch((error: unknown) => error);
          outsideIsUntouched();
          const found = everythingIn(destination);
          expect(found.length).toBeLessThanOrEqual(most);
          const files = new Map(found.filter((stat) => stat.isFile()).map((stat) => [stat.ino, stat.size]));
          expect([...files.values()].reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(bytes);
          for (const stat of found) expect(stat.mode & 0o7000).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
