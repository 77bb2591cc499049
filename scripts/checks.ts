/** The checks of `npm run check`: each one a name and what proves it. */
import { referenceProblems } from './references.ts';
import { repositoryProblems } from './repository-rules.ts';
import { bin, type Finished, root, run } from './run.ts';

export interface Check {
  readonly name: string;
  readonly run: () => Promise<Finished>;
}

const tool = (name: string, ...argv: [string, ...string[]]): Check => ({
  name,
  run: () => run([bin(argv[0]), ...argv.slice(1)]),
});

const findings = (name: string, find: (root: string) => Promise<readonly string[]>): Check => ({
  name,
  run: async () => {
    const problems = await find(root);
    return { code: problems.length === 0 ? 0 : 1, output: problems.join('\n') };
  },
});

export const checks: readonly Check[] = [
  tool('types', 'tsc', '-p', '.'),
  tool('format and lint', 'biome', 'check', '--error-on-warnings', '.'),
  tool('dead code', 'knip', '--no-progress'),
  tool(
    'who may import whom',
    'depcruise',
    '--config',
    '.dependency-cruiser.cjs',
    'packages',
    'lab',
    'test',
    'bench',
    'scripts',
  ),
  findings('rules of the repository', repositoryProblems),
  findings('references are up to date', referenceProblems),
];
