import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryProblems } from './repository-rules.ts';

let root: string;
const write = (name: string, text: string): void => {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-rules-'));
  write('README.md', '# Berth\n\n- `packages/kernel`: Linux\n');
  write('packages/kernel/src/index.ts', '/** Linux. */\n');
  write('docs/decisions/README.md', '# Decisions\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the rules of the repository', () => {
  it('find nothing in an orderly one', async () => {
    expect(await repositoryProblems(root)).toEqual([]);
  });

  it('want a doc comment and a line in the README for every package', async () => {
    write('packages/engine/src/index.ts', 'export {};\n');
    write('packages/dhcp/package.json', '{}');
    expect(await repositoryProblems(root)).toEqual(
      expect.arrayContaining([
        'packages/engine/src/index.ts does not begin with a doc comment that says what the package is for',
        'README.md has no line about packages/engine',
        'packages/dhcp has no src/index.ts',
        'README.md has no line about packages/dhcp',
      ]),
    );
  });

  it('follow every relative link, and the headings behind it', async () => {
    write('docs/guide.md', '# Guide\n\n## How to *start* it, step-by-step\n');
    write(
      'docs/page.md',
      [
        '[fine](guide.md) [fine](guide.md#how-to-start-it-step-by-step) [fine](#here) [fine](https://example.net/x)',
        '[broken](nowhere.md) [broken](guide.md#nothing) [fine](../packages/kernel)',
        '# Here',
        '```md',
        '[an example](not-followed.md)',
        '```',
      ].join('\n'),
    );
    expect(await repositoryProblems(root)).toEqual([
      'docs/page.md: the link nowhere.md leads nowhere',
      'docs/page.md: the link guide.md#nothing names no heading there',
    ]);
  });

  it('want decisions to be found by their number, each given once', async () => {
    write('docs/decisions/0001-first.md', '# First\n');
    write('docs/decisions/0001-second.md', '# Second\n');
    write('docs/decisions/Third.md', '# Third\n');
    expect(await repositoryProblems(root)).toEqual([
      'docs/decisions/Third.md: the name is not NNNN-title.md',
      'docs/decisions: the number 0001 is given twice',
    ]);
  });

  it('let only modules of our own be imported while a program runs', async () => {
    const late = ['./own.ts', 'node:tls', '@berth/kernel', 'yaml'].map((name) => `await import('${name}');`);
    write('packages/kernel/src/late.ts', late.join('\n'));
    expect(await repositoryProblems(root)).toEqual([
      'packages/kernel/src/late.ts: yaml is imported while the program runs; give it a module',
    ]);
  });
});
