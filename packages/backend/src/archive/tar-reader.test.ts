import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attribute, inPieces, tarOf, type WrittenEntry } from '../testing/tar-archive.ts';
import { TarError } from './tar-header.ts';
import { tarEntries } from './tar-reader.ts';

interface Read {
  readonly name: string;
  readonly type: string;
  readonly linkName: string;
  readonly size: number;
  readonly content: string;
}

async function read(bytes: Uint8Array, pieces = 700, readContent = true): Promise<readonly Read[]> {
  const all: Read[] = [];
  for await (const { name, type, linkName, size, content } of tarEntries(inPieces(bytes, pieces))) {
    const text = readContent ? Buffer.concat(await Array.fromAsync(content())).toString('utf8') : '';
    all.push({ name, type, linkName, size, content: text });
  }
  return all;
}

describe('a tar archive', () => {
  it.each([
    'ustar',
    'gnu',
    'pax',
    'v7',
  ])('as the usual program writes it in format %s is read whole', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-tar-'));
    try {
      // Longer than the field for names, where the format can do that.
      const deep = format === 'v7' ? 'a' : `${'long-folder-name/'.repeat(7)}end`;
      mkdirSync(join(folder, 'top', deep), { recursive: true });
      writeFileSync(join(folder, 'top', deep, 'file'), 'x'.repeat(1500));
      writeFileSync(join(folder, 'top', 'empty'), '');
      symlinkSync('../elsewhere', join(folder, 'top', 'link'));
      linkSync(join(folder, 'top', 'empty'), join(folder, 'top', 'same'));
      const { stdout, status, stderr } = spawnSync(
        'tar',
        ['--create', `--format=${format}`, '--sort=name', '--directory', folder, 'top'],
        { maxBuffer: 2 ** 24 },
      );
      expect(status, String(stderr)).toBe(0);
      for (const pieces of [1, 511, 4096]) {
        const entries = await read(stdout, pieces);
        const byName = new Map(entries.map((entry) => [entry.name, entry]));
        expect(byName.get(`top/${deep}/file`)).toMatchObject({ type: 'file', content: 'x'.repeat(1500) });
        expect(byName.get('top/link')).toMatchObject({ type: 'symlink', linkName: '../elsewhere' });
        expect(byName.get('top/same')).toMatchObject({ type: 'hardlink', linkName: 'top/empty' });
        expect(byName.get('top/')?.type).toBe('directory');
        expect(await read(stdout, pieces, false)).toHaveLength(entries.length);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('may describe an entry in many words, but not in more than a limit', async () => {
    const long = 'n'.repeat(3000);
    const described = (content: string, size?: number): Buffer =>
      tarOf([
        { name: 'pax', flag: 'x', content, ...(size !== undefined && { size }) },
        { name: 'short', content: 'x' },
      ]);
    expect(await read(described(attribute('path', long) + attribute('uid', '70000')))).toMatchObject([
      { name: long },
    ]);
    await expect(read(described('', 2 ** 40))).rejects.toThrow(TarError);
    await expect(read(described(attribute('size', '99999999999999999999')))).rejects.toThrow(TarError);
    await expect(read(described('7 a=b'))).rejects.toThrow(TarError);
    expect(await read(described(attribute('GNU.sparse.major', '1')))).toMatchObject([{ type: 'unknown' }]);
  });

  it.each([
    2n ** 63n - 1n,
    2n ** 62n,
    -1n,
    -(2n ** 60n),
  ])('with a file of %d bytes is refused', async (size) => {
    await expect(read(tarOf([{ name: 'big', size }]))).rejects.toThrow(TarError);
  });

  it('that ends in the middle is an error, and one without its last blocks is not', async () => {
    const whole = tarOf([{ name: 'file', content: 'x'.repeat(600) }], false);
    expect(await read(whole)).toHaveLength(1);
    for (const at of [100, 600, 1000]) await expect(read(whole.subarray(0, at))).rejects.toThrow(TarError);
  });

  it('that is anything at all is read to its end or refused, with no more memory than a limit', async () => {
    const entry: fc.Arbitrary<WrittenEntry> = fc.record({
      name: fc.string({ maxLength: 120 }),
      flag: fc.constantFrom('0', '1', '2', '3', '5', '6', 'x', 'g', 'L', 'K', 'S', '?'),
      content: fc.oneof(
        fc.string({ maxLength: 900 }),
        fc.string().map((text) => attribute('path', text)),
      ),
      linkName: fc.string({ maxLength: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(8000), fc.nat(255)), { maxLength: 4 }),
        fc.integer({ min: 1, max: 3000 }),
        async (entries, changes, pieces) => {
          const bytes = tarOf(entries);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const before = bytes.length;
          try {
            const found = await read(bytes, pieces);
            const total = found.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
            expect(total).toBeLessThanOrEqual(before * 3);
          } catch (error) {
            expect(error).toBeInstanceOf(TarError);
          }
        },
      ),
    );
  });
});
