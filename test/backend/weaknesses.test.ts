/** The page on former weaknesses names the tests that hold the invariants: they are there, under these names. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it('every test that the page names exists', () => {
  const page = readFileSync(join(root, 'docs', 'decisions', '0150-what-was-weak-before.md'), 'utf8');
  const named = [...page.matchAll(/`([^`\s]+\.ts)`\s+"([^"]+)"/g)];
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, file = '', title = '']) => {
    const path = join(root, file);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });
  expect(missing.map(([text]) => text)).toEqual([]);
});
