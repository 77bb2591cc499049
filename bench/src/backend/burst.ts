/**
 * Many leases asked for at once, on a real engine. What the engine takes for the same containers when it is asked bare (one
 * create and one start each, as many at a time) is not ours; the rest is. Which of the two goes first changes from round to
 * round, and each round has its own share: what else the machine does meanwhile concerns both. What our process itself computes is
 * measured, too: that part does not depend on the engine's mood.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '@berth/engine';
import { accepted, Provider } from '@berth/lab/provider';
import type { Scope } from '@berth/service';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { median, timingOf } from '../harness/measure.ts';
import type { Stand } from '../lab/stand.ts';
import { readCpuMs } from '../memory/process-memory.ts';

/** As many creations as the backend has under way. */
const atATime = 16;

/** Runs it for all, so many at a time. */
export async function inParallel<T>(
  all: readonly T[],
  most: number,
  run: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...all];
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one);
  };
  await Promise.all(Array.from({ length: most }, worker));
}

const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done'];

async function leases(provider: Provider, count: number): Promise<number> {
  const manifest = { services: { web: { image: provider.image, command, ports: { '8080/tcp': {} } } } };
  const wanted = Array.from({ length: count }, () => provider.lease());
  const began = performance.now();
  await Promise.all(wanted.map(async (lease) => accepted(await provider.client.provision(lease, manifest))));
  const outcomes = await Promise.all(wanted.map(({ lease_uuid: id }) => provider.desk.next(id, 300_000)));
  const tookMs = performance.now() - began;
  const failed = outcomes.filter(({ status }) => status !== 'success');
  if (failed.length > 0) throw new Error(`${failed.length} leases failed: ${failed[0]?.error}`);
  await inParallel(wanted, atATime, async ({ lease_uuid: id }) => {
    accepted(await provider.client.deprovision(id));
    await provider.desk.next(id, 300_000);
  });
  return tookMs;
}

/** The same containers, by the same requests, from somebody who only wants them to run. */
async function bare({ containers, networks }: Engine, image: string, count: number): Promise<number> {
  const name = `bare-${randomUUID()}`;
  const ids: string[] = [];
  const began = performance.now();
  await networks.create({ Name: name, Driver: 'bridge' });
  const names = Array.from({ length: count }, (_, n) => `${name}-${n}`);
  const made: string[] = [];
  await inParallel(names, atATime, async (one) => {
    const { id } = await containers.create(
      {
        Image: image,
        Entrypoint: [...command],
        ExposedPorts: { '8080/tcp': {} },
        Labels: { bench: name },
        HostConfig: {
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges:true'],
          ReadonlyRootfs: true,
          Memory: 64 * 2 ** 20,
          MemorySwap: 64 * 2 ** 20,
          NanoCpus: 250_000_000,
          PidsLimit: 256,
          NetworkMode: name,
          IpcMode: 'private',
          PortBindings: { '8080/tcp': [{ HostIp: '0.0.0.0', HostPort: '' }] },
          Tmpfs: {
            '/tmp': 'rw,noexec,nosuid,nodev,size=67108864,mode=1777',
            '/run': 'rw,noexec,nosuid,nodev,size=67108864,mode=1777',
          },
          LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
        },
        NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: ['web'] } } },
      },
      { name: one },
    );
    ids.push(id);
    await containers.start(id);
    made.push(id);
  });
  const tookMs = performance.now() - began;
  await inParallel(ids, atATime, async (id) => void (await containers.remove(id, { force: true })));
  await networks.remove(name);
  if (made.length !== count) throw new Error(`${made.length} of ${count} containers`);
  return tookMs;
}

export async function openProvider(
  scope: Scope,
  { host }: Stand,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Provider> {
  const provider = await Provider.open(host, {
    // As it is shipped; whoever made the stand has built it.
    entry: join(import.meta.dirname, '..', '..', '..', 'dist', 'docker-backend', 'main.mjs'),
    config: {
      total_cpu_cores: 4096,
      total_memory_mb: 1_048_576,
      // The time that a container is watched before it counts as started is the contract's, not work.
      startup_verify_duration: '1ms',
      reconcile_interval: '1h',
      ...config,
    },
  });
  scope.defer(() => provider[Symbol.asyncDispose](), 'provider');
  return provider;
}

export const burst: BenchCase = {
  name: 'lease-burst',
  about:
    'Leases asked for at once until all have called back; beside the same containers by bare calls. share: what is ours, in %; computed: by our process, in % of one core.',
  unit: 'ms; share in %',
  needsRoot: true,
  async run({ scope, quick, say, stand: open }) {
    const stand = await open();
    const provider = await openProvider(scope, stand);
    const count = quick ? 10 : 50;
    const rounds = quick ? 2 : 6;
    const ours: number[] = [];
    const theirs: number[] = [];
    const computedMs: number[] = [];
    const process = `/proc/${provider.program.pid}`;
    // Once before, so that nobody pays for the first time: the pull, the caches of the engine.
    await leases(provider, 2);
    await bare(stand.engine, provider.image, 2);
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      const askBare = async () => void theirs.push(await bare(stand.engine, provider.image, count));
      if (round % 2 === 1) await askBare();
      const before = readCpuMs(process);
      ours.push(await leases(provider, count));
      computedMs.push(readCpuMs(process) - before);
      if (round % 2 === 0) await askBare();
    }
    const [lease, engine] = [timingOf(ours), timingOf(theirs)];
    const row = (by: string, { p50, max }: typeof lease, more: Row['figures'] = {}): Row => ({
      work: `${count} leases at once`,
      by,
      figures: { p50, max, rounds, ...more },
    });
    const share = median(ours.map((ms, round) => (100 * (ms - (theirs[round] ?? ms))) / ms));
    // With the closes of the same leases.
    const computed = median(ours.map((ms, round) => (100 * (computedMs[round] ?? 0)) / ms));
    return [row('berth', lease, { share, computed }), row('bare calls', engine)];
  },
};
