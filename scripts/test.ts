/**
 * `npm test` and its parts: runs the checks and the suites one after another and closes with one line of counts.
 *
 *   npm test                      everything
 *   npm run check                 types, lint, dead code, layers, rules
 *   npm run test:unit             no root, no Docker
 *   npm run test:unit -- scope    only the files whose path contains "scope"; -t NAME picks single tests
 *   npm run test:kernel           the real kernel, in namespaces of its own (root)
 *   npm run test:engine           the real Docker engine, in a lab of its own (root)
 *   npm run test:e2e              whole programs in the lab (root)
 *   npm run test:vm               what this machine's kernel may lack, in a virtual machine (root)
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareMachine, removeOrphans } from '../lab/src/index.ts';
import { checks } from './checks.ts';
import { onParentGone } from './parent.ts';
import { bin, run, stopChildren } from './run.ts';
import { add, type Counts, closingLines, failure, readReport, zero } from './test-report.ts';
import { runVmSuite } from './vm-suite.ts';

const suites = ['unit', 'kernel', 'engine', 'e2e', 'vm'] as const;
type Suite = (typeof suites)[number];
const privileged: ReadonlySet<Suite> = new Set(['kernel', 'engine', 'e2e', 'vm']);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function whyNotPrivileged(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'this is not root';
  return undefined;
}

async function runChecks(): Promise<Counts> {
  let counts = zero;
  for (const check of checks) {
    const started = performance.now();
    const { code, output } = await check.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`${code === 0 ? '✓' : '✗'} check: ${check.name} (${seconds} s)`);
    if (code !== 0) say(output.trimEnd());
    const lines = output.trimEnd().split('\n').slice(-6);
    const count =
      code === 0 ? { ...zero, passed: 1 } : failure([`check: ${check.name}`, ...lines].join('\n    '));
    counts = add(counts, count);
  }
  return counts;
}

async function runSuite(suite: Suite, filters: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-report-'));
  try {
    const report = join(folder, 'report.json');
    say(`\n== ${suite} ==`);
    const { code } = await run(
      [
        bin('vitest'),
        'run',
        `--project=${suite}`,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        '--passWithNoTests',
        ...filters,
      ],
      // The runner ends when we do: see the lab's global-setup.
      { show: true, env: { BERTH_TEST_RUN: String(process.pid) } },
    );
    return readReport(suite, code, () => readFileSync(report, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runPrivileged(suite: Suite, filters: readonly string[]): Promise<Counts> {
  const why = whyNotPrivileged();
  if (why === undefined) {
    await prepareMachine(say);
    if (suite === 'vm') return await runVmSuite(filters, say);
    try {
      return await runSuite(suite, filters);
    } finally {
      // A runner that was stopped half-way could not take its lab down itself.
      await removeOrphans(say);
    }
  }
  if (process.env['BERTH_SKIP_PRIVILEGED'] === '1') {
    say(`\n== ${suite} == left out: ${why}, and BERTH_SKIP_PRIVILEGED=1 says that this is meant`);
    return zero;
  }
  return failure(
    `${suite}: cannot run: ${why}. Run as root on Linux, or set BERTH_SKIP_PRIVILEGED=1 to leave it out.`,
  );
}

/** A suite that ends in the middle is a failure like any other: the counts of the rest are told all the same. */
async function countsOf(suite: Suite, filters: readonly string[]): Promise<Counts> {
  try {
    return await (privileged.has(suite) ? runPrivileged(suite, filters) : runSuite(suite, filters));
  } catch (error) {
    return failure(`${suite}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

async function main([what = 'all', ...filters]: readonly string[]): Promise<number> {
  const chosen = what === 'all' ? suites : suites.filter((suite) => suite === what);
  if (chosen.length === 0 && what !== 'check') {
    say(`unknown suite "${what}": all, check, ${suites.join(', ')}`);
    return 2;
  }
  // Some unit tests make certificates with openssl; a suite without root takes the machine as it is.
  if (what === 'all' && whyNotPrivileged() === undefined) await prepareMachine(say);
  // Models that are too slow for every change live as long as they should when everything is run.
  if (what === 'all') process.env['BERTH_MODEL_STEPS'] ??= '100000';
  let counts = what === 'all' || what === 'check' ? await runChecks() : zero;
  for (const suite of chosen) {
    if (stopped) break;
    counts = add(counts, await countsOf(suite, filters));
  }
  if (stopped) {
    say('\nstopped before the end');
    return 130;
  }
  say(`\n${closingLines(counts)}`);
  return counts.failed.length === 0 ? 0 : 1;
}

let stopped = false;
/** Heard twice from a terminal and npm: the second time changes nothing, and must not cut our own clearing up short. */
function stop(): void {
  stopped = true;
  stopChildren();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
onParentGone(stop);

process.exitCode = await main(process.argv.slice(2));
