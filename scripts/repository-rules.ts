/** Rules about the repository itself that no other tool checks. Each returns its findings as lines for a person. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { destructionProblems } from './destruction-rule.ts';

const skipped = new Set(['node_modules', '.git', 'dist', '.cache', 'coverage']);

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** Every package says in its index what it is for, and the README lists it. */
function packageProblems(root: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const problems: string[] = [];
    const index = join(root, 'packages', name, 'src', 'index.ts');
    if (!existsSync(index)) problems.push(`packages/${name} has no src/index.ts`);
    else if (!readFileSync(index, 'utf8').startsWith('/**'))
      problems.push(
        `packages/${name}/src/index.ts does not begin with a doc comment that says what the package is for`,
      );
    if (!readme.includes(`packages/${name}`)) problems.push(`README.md has no line about packages/${name}`);
    return problems;
  });
}

/** A relative link in the docs leads to a file, and an anchor in it to a heading. */
function linkProblems(root: string): string[] {
  const problems: string[] = [];
  for (const file of filesBelow(root)) {
    if (!file.endsWith('.md')) continue;
    const prose = readFileSync(file, 'utf8').replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? file : join(dirname(file), path);
      if (!existsSync(linked)) problems.push(`${relative(root, file)}: the link ${target} leads nowhere`);
      else if (anchor !== undefined && statSync(linked).isFile() && !headingsOf(linked).has(anchor))
        problems.push(`${relative(root, file)}: the link ${target} names no heading there`);
    }
  }
  return problems;
}

function headingsOf(file: string): Set<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    Array.from(headings, ([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

/** A decision is found by its number: NNNN-title.md, no number twice. */
function decisionProblems(root: string): string[] {
  const names = readdirSync(join(root, 'docs', 'decisions')).filter((name) => name !== 'README.md');
  const problems = names
    .filter((name) => !/^\d{4}-[a-z0-9-]+\.md$/.test(name))
    .map((name) => `docs/decisions/${name}: the name is not NNNN-title.md`);
  const numbers = names.map((name) => name.slice(0, 4));
  for (const [index, number] of numbers.entries()) {
    if (numbers.indexOf(number) !== index)
      problems.push(`docs/decisions: the number ${number} is given twice`);
  }
  return problems;
}

/** What is bundled apart keeps its names only if it is a module of ours; others are imported by one of those. */
function lateImportProblems(root: string): string[] {
  return [...filesBelow(join(root, 'packages'))]
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      Array.from(
        readFileSync(file, 'utf8').matchAll(/await import\('(?!\.|node:|@berth\/)([^']+)'\)/g),
        ([, name]) => `${relative(root, file)}: ${name} is imported while the program runs; give it a module`,
      ),
    );
}

export async function repositoryProblems(root: string): Promise<string[]> {
  return [
    ...packageProblems(root),
    ...linkProblems(root),
    ...decisionProblems(root),
    ...destructionProblems(root),
    ...lateImportProblems(root),
  ];
}
