/** The checks of `npm run check`: each one a name and what proves it. */
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
  {
    name: 'rules of the repository',
    run: async () => {
      const problems = await repositoryProblems(root);
      return { code: problems.length === 0 ? 0 : 1, output: problems.join('\n') };
    },
  },
];
