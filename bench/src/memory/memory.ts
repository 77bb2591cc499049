/** What an idle daemon costs: one alone, and each of ten. */
import { join } from 'node:path';
import { sleep, systemClock } from '@berth/service';
import { shippedFlags } from '../harness/as-shipped.ts';
import type { BenchCase, BenchContext, Row } from '../harness/bench-case.ts';
import { median } from '../harness/measure.ts';
import { bundled, type Start, started } from './instances.ts';
import { readCpuMs, readProcessMemory } from './process-memory.ts';

interface Subject {
  readonly name: string;
  readonly entry: string;
  readonly env?: Readonly<Record<string, string>>;
}

const subjects: readonly Subject[] = [
  { name: 'empty program', entry: 'empty-program.ts' },
  { name: 'minimal daemon', entry: 'minimal-daemon.ts' },
  { name: 'the same after work', entry: 'minimal-daemon.ts', env: { BENCH_ROUNDS: '400' } },
];

const flagSets = {
  'node, no flags': [],
  [`node ${shippedFlags.join(' ')}`]: shippedFlags,
};

export const memory: BenchCase = {
  name: 'memory',
  about: 'Idle memory of one and of each of ten instances (median), and the CPU that they use while idle.',
  unit: 'MiB; cpu: ms per second',
  needsRoot: false,
  async run(context) {
    const rows: Row[] = [];
    for (const { name, entry, env = {} } of subjects) {
      const program = await bundled(context.scope, join(import.meta.dirname, '..', 'programs', entry));
      for (const [by, flags] of Object.entries(flagSets)) {
        for (const count of [1, 10]) {
          context.say(`${name} x ${count}, ${by}`);
          rows.push({
            work: `${name} x ${count}`,
            by,
            figures: await costs(context, { program, flags, env }, count),
          });
        }
      }
    }
    return rows;
  },
};

async function costs({ scope, quick }: BenchContext, start: Start, count: number): Promise<Row['figures']> {
  await using instances = scope.child('instances');
  const running = await Promise.all(Array.from({ length: count }, () => started(instances, start)));
  const processes = running.map(({ pid }) => `/proc/${pid}`);
  await sleep(systemClock, quick ? 500 : 5_000, scope.signal);
  const idleMs = quick ? 500 : 10_000;
  const before = processes.map(readCpuMs);
  await sleep(systemClock, idleMs, scope.signal);
  const cpu = processes.map((one, index) => ((readCpuMs(one) - (before[index] ?? 0)) * 1_000) / idleMs);
  const measured = processes.map(readProcessMemory);
  return {
    rss: median(measured.map(({ rss }) => rss)),
    'private dirty': median(measured.map(({ privateDirty }) => privateDirty)),
    pss: median(measured.map(({ pss }) => pss)),
    cpu: median(cpu),
  };
}
