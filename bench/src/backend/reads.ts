/** Signed reads a second on one core, and what ten thousand leases cost in memory: of the program, measured from outside. */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { GroupCommit, LeaseBook, ReleaseStore } from '@berth/backend';
import { backendSecret, type Provider, signatureOf } from '@berth/lab/provider';
import type { BenchCase, BenchContext, Row } from '../harness/bench-case.ts';
import { readCpuMs, readProcessMemory } from '../memory/process-memory.ts';
import { openProvider } from './burst.ts';
import { leaseParts, uuidOf } from './leases.ts';

const clients = 16;
const noBody = Buffer.alloc(0);

function get(agent: Agent, port: number, path: string, signed: boolean): Promise<void> {
  const headers = signed ? { 'X-Fred-Signature': signatureOf(backendSecret, 'GET', path, noBody) } : {};
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      response.on('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`${path} answered ${response.statusCode}`)),
      );
      response.resume();
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** By the CPU time of the process that answers: whoever asks needs more, and must not count. */
async function rate(
  process: string,
  port: number,
  path: (n: number) => string,
  signed: boolean,
  forMs: number,
) {
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: clients }), {
    [Symbol.dispose](this: Agent) {
      this.destroy();
    },
  });
  let count = 0;
  const until = (end: number) =>
    Promise.all(
      Array.from({ length: clients }, async () => {
        while (performance.now() < end) await get(agent, port, path(count++), signed);
      }),
    );
  await until(performance.now() + forMs / 4);
  count = 0;
  const [cpu, began] = [readCpuMs(process), performance.now()];
  await until(began + forMs);
  const seconds = (performance.now() - began) / 1000;
  return {
    'per core second': (count * 1000) / (readCpuMs(process) - cpu),
    'per second': count / seconds,
  };
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
    'Signed reads per second of CPU of the program, beside the open /stats; and its memory with and without leases.',
  unit: 'requests; MiB',
  needsRoot: true,
  async run(context: BenchContext) {
    const { scope, quick, say, stand: open } = context;
    const provider = await openProvider(scope, await open());
    const { program } = provider;
    const forMs = quick ? 500 : 5000;
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
    const one = (n: number): string => `/provisions/${uuidOf(n % count)}`;
    const page = (n: number): string => `/provisions?limit=1000&continue=${uuidOf((n * 1000) % count)}`;
    const rows = [memory('no lease', empty), memory(`${count} leases`, full)];
    const { pid, port } = program;
    for (const [work, by, path, signed] of [
      ['GET /provisions/{id}', 'berth, signed', one, true],
      ['GET /provisions?limit=1000', 'berth, signed', page, true],
      ['GET /stats', 'berth, open', () => '/stats', false],
    ] as const)
      rows.push({ work, by, figures: await rate(`/proc/${pid}`, port, path, signed, forMs) });
    return rows;
  },
};
