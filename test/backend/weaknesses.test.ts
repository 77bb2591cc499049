/** The pages on former weaknesses name the tests that hold the invariants: they are there, under these names. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const pageOf = (name: string): string => readFileSync(join(root, 'docs', 'decisions', name), 'utf8');

/** A file without a folder of its own package is one of the backend. */
const pathOf = (file: string): string | undefined =>
  [join(root, file), join(root, 'packages', 'backend', 'src', file)].find((one) => existsSync(one));

/** What the page names and is not there. */
function missing(page: string): readonly string[] {
  const named = [...page.matchAll(/`([^`\s]+\.ts)`\s+"([^"]+)"/g)];
  return named
    .filter(([, file = '', title = '']) => {
      const path = pathOf(file);
      return path === undefined || !readFileSync(path, 'utf8').includes(title.replaceAll(/\s+/g, ' '));
    })
    .map(([text]) => text);
}

it('every test that the page of what was weak before names exists', () => {
  const page = pageOf('0150-what-was-weak-before.md');
  expect(page.match(/`[^`\s]+\.ts`\s+"/g)?.length).toBeGreaterThan(30);
  expect(missing(page)).toEqual([]);
});

it('every weakness of the life of a lease has a row, and every row names what shows it', () => {
  const page = pageOf('0140-weaknesses-of-the-lease-lifecycle.md');
  expect(missing(page)).toEqual([]);
  const rows = page.split('\n').filter((line) => /^\| W-\d/.test(line));
  expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(numbered('W', 47));
  const without = rows.filter((row) => {
    const files = (row.split('|').at(-2) ?? '').match(/`[^`\s]+\.ts`/g) ?? [];
    return files.length === 0 || files.some((file) => pathOf(file.slice(1, -1)) === undefined);
  });
  expect(without).toEqual([]);
});

it('every weakness of storage has a row, and every row a test that exists', () => {
  const page = pageOf('0172-the-weaknesses-of-storage-one-by-one.md');
  expect(missing(page)).toEqual([]);
  const rows = page.split('\n').filter((line) => /^\| [DW]-\d/.test(line));
  const without = rows.filter(
    (row) => !/`[^`\s]+\.ts` "|\bmatrix\b|\bmodel\b/.test(row.split('|').at(-2) ?? ''),
  );
  expect(without).toEqual([]);
  const told = new Set(rows.flatMap((row) => numbersIn(row.split('|')[1] ?? '')));
  const all = [...numbered('D', 47), ...numbered('W', 55)];
  expect(all.filter((one) => !told.has(one))).toEqual([]);
});

const numbered = (letter: string, last: number): readonly string[] =>
  Array.from({ length: last }, (_, index) => `${letter}-${index + 1}`);

/** `W-1, W-50` or `D-20 to D-26`. */
function numbersIn(cell: string): readonly string[] {
  const range = /([DW])-(\d+) to \1-(\d+)/.exec(cell);
  if (range === null) return cell.match(/[DW]-\d+/g) ?? [];
  const [, letter = '', first = '', last = ''] = range;
  return numbered(letter, Number(last)).slice(Number(first) - 1);
}
