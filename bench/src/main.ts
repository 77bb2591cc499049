/** `npm run bench`: measures, each time beside a peer or a physical limit in the same run. */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Scope } from '@berth/service';
import { runDaemon } from '@berth/service/lifecycle';
import { consoleFormat, createLog, stderrSink } from '@berth/service/log';
import { cases } from './cases.ts';
import { runAsShipped } from './harness/as-shipped.ts';
import type { BenchCase, BenchContext, Row } from './harness/bench-case.ts';
import { listOf, readOptions, usage } from './harness/options.ts';
import { tableOf } from './harness/table.ts';
import { Stand } from './lab/stand.ts';

interface Result extends Pick<BenchCase, 'name' | 'about' | 'unit'> {
  readonly rows: readonly Row[];
}

const color = process.stderr.isTTY;
const log = createLog({ sink: stderrSink(), format: consoleFormat({ color }) });
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const machine = () => ({
  node: process.version,
  kernel: release(),
  cpus: cpus().map(({ model }) => model),
  memoryMib: Math.round(totalmem() / 2 ** 20),
  load: loadavg(),
});

/** Made when the first case asks for it; each finds it empty. */
function standIn(scope: Scope): () => Promise<Stand> {
  let stand: Promise<Stand> | undefined;
  return async () => {
    stand ??= Stand.open(scope, (line) => log.info(`lab: ${line}`));
    await (await stand).clear();
    return await stand;
  };
}

async function runCase(bench: BenchCase, context: BenchContext): Promise<Result> {
  await using scope = context.scope.child(bench.name);
  const { name, about, unit } = bench;
  const shipped = bench.asShipped ? await runAsShipped(bench, context.quick) : undefined;
  return { name, about, unit, rows: shipped ?? (await bench.run({ ...context, scope })) };
}

await runDaemon({ name: 'bench', log }, async ({ scope }) => {
  const options = readOptions(process.argv.slice(2), cases);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\nTry: npm run bench -- --help\n`);
    return 2;
  }
  if (options.help) print(usage(cases));
  else if (options.list) print(listOf(cases));
  if (options.help || options.list) return 0;
  const { chosen } = options;
  const forPeople = options.json !== '-';
  const results: Result[] = [];
  const before = machine();
  const stand = standIn(scope);
  for (const bench of chosen) {
    if (bench.needsRoot && process.getuid?.() !== 0) {
      log.warn(`${bench.name} is left out: it needs root`);
      continue;
    }
    const context = {
      scope,
      quick: options.quick,
      stand,
      say: (line: string) => log.info(`${bench.name}: ${line}`),
    };
    const result = await runCase(bench, context);
    results.push(result);
    if (forPeople) print(`\n${result.name}: ${result.about}\n(${result.unit})\n\n${tableOf(result.rows)}`);
  }
  const report = { machine: before, quick: options.quick, results };
  if (options.json === '-') print(JSON.stringify(report, null, 2));
  else if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
});
