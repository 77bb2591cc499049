import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { referenceProblems, writeReferences } from './references.ts';

let root: string;
const file = (name: string): string => join(root, name);
const write = (name: string, text: string): void => {
  mkdirSync(dirname(file(name)), { recursive: true });
  writeFileSync(file(name), text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-references-'));
  const errors = "[{ title: 'Linux', table: { BUSY: { title: 'In use', remedy: 'Wait.' } } }]";
  write('packages/kernel/src/reference.ts', `export const reference = { errors: ${errors} };\n`);
  write('packages/dhcp/src/reference.ts', 'export const other = 1;\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the references', () => {
  it('are written from what the packages export, and then are up to date', async () => {
    expect(await referenceProblems(root)).toEqual([
      'docs/reference/errors.md is missing: npm run fix writes it',
    ]);
    await writeReferences(root);
    expect(readFileSync(file('docs/reference/errors.md'), 'utf8')).toContain('| `BUSY` | In use | Wait. |');
    expect(await referenceProblems(root)).toEqual([]);
  });

  it('are out of date as soon as somebody edits them by hand', async () => {
    await writeReferences(root);
    write('docs/reference/errors.md', '# Errors\n');
    expect(await referenceProblems(root)).toEqual([
      'docs/reference/errors.md is out of date: npm run fix writes it anew',
    ]);
  });

  it('hold no page that nothing keeps true', async () => {
    await writeReferences(root);
    write('docs/reference/machines.md', '# Machines\n');
    expect(await referenceProblems(root)).toEqual([
      'docs/reference/machines.md is made by no table and no test',
    ]);
    write(
      'packages/dhcp/src/reference.test.ts',
      "toMatchFileSnapshot('../../../docs/reference/machines.md')",
    );
    expect(await referenceProblems(root)).toEqual([]);
  });
});
