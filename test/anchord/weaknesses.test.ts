/** The page on the weaknesses of the data path names tests that show what is different here: they are there, under these names. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'decisions', '0125-the-weaknesses-of-the-data-path.md'), 'utf8');

it('every test that the page names exists', () => {
  const named = [...page.matchAll(/`([^`\s]+\.ts)`((?:,? "[^"]+")+)/g)].flatMap(
    ([, file = '', titles = '']) =>
      Array.from(titles.matchAll(/"([^"]+)"/g), ([, title = '']) => ({ file, title })),
  );
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter(({ file, title }) => {
    const path = join(root, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing).toEqual([]);
});

it('no weakness of these chapters is left out', () => {
  const numbers = [
    ...[
      [1, 18],
      [20, 54],
      [79, 93],
    ].flatMap(([first = 0, last = 0]) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    ),
  ];
  const missing = numbers.filter((number) => !page.includes(`W-${String(number).padStart(2, '0')}`));
  expect(missing).toEqual([]);
});
