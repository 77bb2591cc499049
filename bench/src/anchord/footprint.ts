/** What the shipped image costs: processor while nothing happens, memory of one and of each of ten, bytes to keep and to fetch. */
import { createGzip } from 'node:zlib';
import { waitFor } from '@berth/lab';
import { sleep, systemClock } from '@berth/service';
import type { BenchCase, BenchContext, Row } from '../harness/bench-case.ts';
import { median } from '../harness/measure.ts';
import { labelOf, type Stand } from '../lab/stand.ts';
import { readCpuMs, readProcessMemory } from '../memory/process-memory.ts';

const BACKENDS = 20;

export const footprint: BenchCase = {
  name: 'footprint',
  about: 'The image and its programs at rest: one of each, and each of ten (median).',
  unit: 'MiB; cpu: % of a core',
  needsRoot: true,
  async run(context) {
    const stand = await context.stand();
    const rows: Row[] = [];
    for (const count of [1, 10]) {
      rows.push(await node(context, stand, count));
      rows.push(await serviceAnchors(context, stand, count));
      rows.push(await networkAnchors(context, stand, count));
    }
    return [...rows, await imageSize(stand)];
  },
};

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** The runtime in the same image with the same flags, and no program: nobody of ours can be below. */
async function node(context: BenchContext, stand: Stand, count: number): Promise<Row> {
  const names = numbered('node', count);
  const entrypoint: string[] = JSON.parse(
    await stand.host.docker('image', 'inspect', '--format', '{{json .Config.Entrypoint}}', stand.image),
  );
  const [program = '', ...flags] = entrypoint.slice(0, -1);
  const options = ['--network', 'none', '--entrypoint', program];
  const command = [...flags, '--eval', 'setInterval(() => undefined, 1e9)'];
  for (const name of names) await stand.run({ name, image: stand.image, options, command });
  return await atRest(context, stand, `nothing x ${count}`, 'limit: node in the image', names);
}

async function serviceAnchors(context: BenchContext, stand: Stand, count: number): Promise<Row> {
  await stand.networkAnchor(40);
  const names = numbered('service-anchor', count);
  for (const [index, name] of names.entries()) await stand.serviceAnchor(name, `tcp/${2_000 + index}`);
  for (const name of names) await stand.logged(name, 'default route updated');
  return await atRest(context, stand, `service-anchor x ${count}`, 'berth', names);
}

async function networkAnchors(context: BenchContext, stand: Stand, count: number): Promise<Row> {
  for (const [index, name] of numbered('backend', BACKENDS).entries()) {
    const labels = Object.entries(labelOf(`tcp/${2_000 + index}`)).flatMap(([key, value]) => [
      '--label',
      `${key}=${value}`,
    ]);
    await stand.run({ name, image: 'berth-lab/busybox', options: ['--network', stand.transit, ...labels] });
  }
  const names = numbered('anchord', count);
  for (const [index, name] of names.entries()) await stand.networkAnchor(40 + index, { name });
  for (const name of names) await stand.logged(name, 'reconciled');
  return await atRest(context, stand, `network-anchor, ${BACKENDS} backends x ${count}`, 'berth', names);
}

/** Looks at them when they have come to rest, and takes everything away. */
async function atRest(
  { quick, scope, say }: BenchContext,
  stand: Stand,
  work: string,
  by: string,
  names: readonly string[],
): Promise<Row> {
  say(`${work}: at rest`);
  const processes: string[] = [];
  for (const name of names) processes.push(stand.host.path(`/proc/${await stand.pidOf(name)}`));
  await sleep(systemClock, quick ? 1_000 : 10_000, scope.signal);
  const idleMs = quick ? 3_000 : 60_000;
  const before = processes.map(readCpuMs);
  const started = performance.now();
  await sleep(systemClock, idleMs, scope.signal);
  const tookMs = performance.now() - started;
  const cpu = processes.map((one, index) => ((readCpuMs(one) - (before[index] ?? 0)) * 100) / tookMs);
  const memory = processes.map(readProcessMemory);
  await stand.clear();
  return {
    work,
    by,
    figures: {
      rss: median(memory.map(({ rss }) => rss)),
      'private dirty': median(memory.map(({ privateDirty }) => privateDirty)),
      pss: median(memory.map(({ pss }) => pss)),
      cpu: median(cpu),
    },
  };
}

async function imageSize({ host, image }: Stand): Promise<Row> {
  const bytes = Number(await host.docker('image', 'inspect', '--format', '{{.Size}}', image));
  const saving = host.spawn(['docker', 'save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (saving.stdout === null) throw new Error('docker save has no output');
  let compressed = 0;
  for await (const chunk of saving.stdout.pipe(createGzip())) compressed += (chunk as Buffer).length;
  await waitFor('the end of docker save', () => saving.exitCode === 0, { timeoutMs: 10_000 });
  const mib = 2 ** 20;
  return { work: 'image', by: 'berth', figures: { size: bytes / mib, compressed: compressed / mib } };
}
