/**
 * Signed reads a second on one core, and what ten thousand leases cost in memory: of the program, measured from outside. What bare
 * `node:http` and the signature cost is not ours; a server that does nothing else is measured in turns with the program, so that what
 * else the machine does meanwhile concerns both.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GroupCommit, LeaseBook, ReleaseStore } from '@berth/backend';
import { backendSecret, type Provider, signatureOf } from '@berth/lab/provider';
import type { Scope } from '@berth/service';
import type { BenchCase, BenchContext, Row } from '../harness/bench-case.ts';
import { median } from '../harness/measure.ts';
import { bundled, started } from '../memory/instances.ts';
import { readCpuMs, readProcessMemory } from '../memory/process-memory.ts';
import { openProvider } from './burst.ts';
import { leaseParts, uuidOf } from './leases.ts';

const clients = 16;
const noBody = Buffer.alloc(0);

interface Server {
  readonly pid: number;
  readonly port: number;
}

interface Read {
  readonly work: string;
  /** Of the n-th request. */
  readonly path: (n: number) => string;
  readonly signed: boolean;
}

function get(agent: Agent, port: number, path: string, signed: boolean): Promise<string> {
  const headers = signed ? { 'X-Fred-Signature': signatureOf(backendSecret, 'GET', path, noBody) } : {};
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      const { statusCode } = response;
      if (statusCode === 200) text(response).then(resolve, reject);
      else reject(new Error(`${path} answered ${statusCode}`));
    });
    asked.on('error', reject);
    asked.end();
  });
}

interface Slice {
  readonly count: number;
  /** Of the process that answers: whoever asks needs more, and must not count. */
  readonly cpuMs: number;
  readonly tookMs: number;
}

async function slice({ pid, port }: Server, { path, signed }: Read, forMs: number): Promise<Slice> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let count = 0;
  const [cpuMs, began] = [readCpuMs(`/proc/${pid}`), performance.now()];
  const ask = async (): Promise<void> => {
    while (performance.now() < began + forMs) await get(agent, port, path(count++), signed);
  };
  await Promise.all(Array.from({ length: clients }, ask));
  const [usedMs, tookMs] = [readCpuMs(`/proc/${pid}`) - cpuMs, performance.now() - began];
  agent.destroy();
  return { count, cpuMs: usedMs, tookMs };
}

function figuresOf(slices: readonly Slice[]): Row['figures'] {
  const sum = (of: (one: Slice) => number): number => slices.reduce((all, one) => all + of(one), 0);
  const count = 1000 * sum((one) => one.count);
  return {
    'per core second': count / sum((one) => one.cpuMs),
    'per second': count / sum((one) => one.tookMs),
  };
}

const costOf = ({ cpuMs, count }: Slice): number => cpuMs / count;

async function beside(ours: Server, bare: Server, read: Read, quick: boolean): Promise<readonly Row[]> {
  const [forMs, rounds] = quick ? [300, 2] : [600, 12];
  const [mine, theirs]: [Slice[], Slice[]] = [[], []];
  for (const server of [ours, bare]) await slice(server, read, 2 * forMs);
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) theirs.push(await slice(bare, read, forMs));
    mine.push(await slice(ours, read, forMs));
    if (round % 2 === 1) theirs.push(await slice(bare, read, forMs));
  }
  const shares = mine.flatMap((one, round) => {
    const peer = theirs[round];
    return peer === undefined ? [] : [100 * (1 - costOf(peer) / costOf(one))];
  });
  const { work, signed } = read;
  return [
    {
      work,
      by: `berth, ${signed ? 'signed' : 'open'}`,
      figures: { ...figuresOf(mine), share: median(shares) },
    },
    { work, by: signed ? 'node:http and HMAC' : 'node:http', figures: figuresOf(theirs) },
  ];
}

/** A server that answers each of the reads with what the program answered once. */
async function bareServer(
  scope: Scope,
  { port }: Server,
  reads: Readonly<Record<string, Read>>,
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }), 'bodies');
  const agent = new Agent();
  for (const [name, { path, signed }] of Object.entries(reads))
    writeFileSync(join(folder, name), await get(agent, port, path(0), signed));
  const program = await bundled(scope, join(import.meta.dirname, '..', 'programs', 'bare-server.ts'));
  const env = { BENCH_SECRET: backendSecret, BENCH_BODIES: folder };
  const { pid, said } = await started(scope, { program, flags: [], env });
  return { pid, port: Number(/"port":(\d+)/.exec(said)?.[1]) };
}

/** Failed leases stay without containers: the program has all of them as soon as it has started. */
async function fill(provider: Provider, count: number): Promise<void> {
  const store = new ReleaseStore(join(provider.program.folder, 'releases.db'));
  try {
    const book = new LeaseBook(store, new GroupCommit(store.file));
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const { lease, manifest, uuid } = leaseParts(uuidOf(n));
        const failure = {
          reason: 'ContainerExited',
          message: 'container exited unexpectedly',
          detail: 'exit_code=1',
        } as const;
        const record = {
          ...lease,
          status: 'failed',
          createdAtMs: 0,
          failCount: 1,
          failure,
          release: 1,
          lastRelease: 1,
        } as const;
        const history = [
          { kind: 'append', version: 1, manifest },
          { kind: 'activate', version: 1 },
        ] as const;
        await book.commit({ uuid, lease: record, history, nowMs: Date.now() });
      }),
    );
  } finally {
    store.file.close();
  }
}

export const reads: BenchCase = {
  name: 'lease-reads',
  about:
    'Signed reads per second of CPU of the program, and the open /stats; beside a bare server with a ready answer. share: what is ours, in %. And the memory of the program with and without leases.',
  unit: 'requests; MiB; share in %',
  needsRoot: true,
  async run({ scope, quick, say, stand: open }: BenchContext) {
    const provider = await openProvider(scope, await open());
    const { program } = provider;
    const empty = readProcessMemory(`/proc/${program.pid}`);
    const count = quick ? 1000 : 10_000;
    say(`storing ${count} leases`);
    await program.stop();
    await fill(provider, count);
    await program.run();
    const full = readProcessMemory(`/proc/${program.pid}`);
    const memory = (work: string, { rss, privateDirty }: typeof empty): Row => ({
      work,
      by: 'memory of the program',
      figures: { rss, 'private dirty': privateDirty },
    });
    const rows = [memory('no lease', empty), memory(`${count} leases`, full)];
    const reads = {
      one: { work: 'GET /provisions/{id}', path: (n) => `/provisions/${uuidOf(n % count)}`, signed: true },
      page: {
        work: 'GET /provisions?limit=1000',
        path: (n) => `/provisions?limit=1000&continue=${uuidOf((n * 1000) % count)}`,
        signed: true,
      },
      open: { work: 'GET /stats', path: () => '/stats', signed: false },
    } satisfies Readonly<Record<string, Read>>;
    const bare = await bareServer(scope, program, reads);
    for (const read of Object.values(reads)) {
      say(read.work);
      rows.push(...(await beside(program, bare, read, quick)));
    }
    return rows;
  },
};
