/** The suite that needs another kernel: one boot of a virtual machine, one run of the test runner in it. */
import { join } from 'node:path';
import { buildVm, runInVm, whyNoVm } from '../lab/src/vm/index.ts';
import { root } from './run.ts';
import { type Counts, readReport, zero } from './test-report.ts';

/** On a machine that does nothing else it takes one; what is slower than this has gone wrong. */
const budgetMs = 15 * 60_000;

/** What is said to a test here and is meant for those in the machine. */
const handedOn = ['BERTH_SEED', 'BERTH_ZFS_CUTS'] as const;

export async function runVmSuite(filters: readonly string[], say: (text: string) => void): Promise<Counts> {
  const why = await whyNoVm(say);
  if (why !== undefined) {
    say(`\n== vm == left out: ${why}`);
    return zero;
  }
  await buildVm(say);
  say('\n== vm ==');
  const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reports = ['--reporter=default', '--reporter=json', '--outputFile.json=/run/vm/result'];
  const { code, result } = await runInVm(
    [process.execPath, runner, 'run', '--project=vm', ...reports, ...filters],
    {
      share: root,
      env: Object.fromEntries(handedOn.map((name) => [name, process.env[name] ?? ''])),
      onOutput: (chunk) => void process.stdout.write(chunk),
      timeoutMs: budgetMs,
      say,
    },
  );
  return readReport('vm', code, () => result);
}
