/** The pages of docs/reference: made from what the packages export as `reference` in their `src/reference.ts`. */
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type PackageReference, type ReferencePages, referencePages } from '@berth/service/reference';

const folderOf = (root: string): string => join(root, 'docs', 'reference');

/** All pages as they should be. */
export async function wantedPages(root: string): Promise<ReferencePages> {
  const files = globSync('packages/*/src/reference.ts', { cwd: root }).toSorted();
  const packages = await Promise.all(files.map((file) => referenceOf(join(root, file))));
  return referencePages(packages.filter((reference) => reference !== undefined));
}

async function referenceOf(file: string): Promise<PackageReference | undefined> {
  const module: { readonly reference?: PackageReference } = await import(pathToFileURL(file).href);
  return module.reference;
}

export async function writeReferences(root: string): Promise<void> {
  const folder = folderOf(root);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of await wantedPages(root)) writeFileSync(join(folder, name), text);
}

/** What is out of date, missing, or made by nobody. */
export async function referenceProblems(root: string): Promise<string[]> {
  const folder = folderOf(root);
  const pages = await wantedPages(root);
  const problems: string[] = [];
  for (const [name, text] of pages) {
    const path = join(folder, name);
    if (!existsSync(path)) problems.push(`docs/reference/${name} is missing: npm run fix writes it`);
    else if (readFileSync(path, 'utf8') !== text) {
      problems.push(`docs/reference/${name} is out of date: npm run fix writes it anew`);
    }
  }
  const tests = testsOfPages(root);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!pages.has(name) && !tests.includes(`docs/reference/${name}`)) {
      problems.push(`docs/reference/${name} is made by no table and no test`);
    }
  }
  return problems;
}

/** Some pages are kept true by a test beside the code that they are printed from. */
function testsOfPages(root: string): string {
  return globSync('{packages/*,lab,test}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules/**'] })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
}
