/**
 * The program dies at every step of every operation on a stack, those that fail included, and dies again while it recovers:
 * on an engine in memory, so that there is time for all of that. (It stands in this suite for the time that it takes.)
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { waitFor } from '@berth/lab/testing';
import { describe, expect, it } from 'vitest';
import type { Doors } from './backend.ts';
import { tenantNetworkName } from './names/index.ts';
import { callSigned, type Reply } from './testing/http-call.ts';
import { MemoryEngine } from './testing/memory-engine.ts';
import { CallbackReceiver } from './testing/rig/callback-receiver.ts';
import { CrashDoors, type CrashPoint, named, noDeath } from './testing/rig/crash-doors.ts';
import { Program } from './testing/rig/program.ts';
import { storeFolder } from './testing/store-folder.ts';

const secret = 'a secret of the tests, thirty-two characters long';
const tenant = 'manifest1stack';
const waitMs = 30_000;

/** A host with an engine in memory, and the program on it: dead and alive in turns. */
class Host implements AsyncDisposable {
  readonly engine = new MemoryEngine();
  readonly receiver: CallbackReceiver;
  readonly #folder = storeFolder();
  #program: Program | undefined;
  #callers = new AbortController();

  constructor(receiver: CallbackReceiver) {
    this.receiver = receiver;
    mkdirSync(this.#folder.path('stores'));
    const store = (name: string): string => this.#folder.path(`stores/${name}.db`);
    const config = {
      name: 'sim',
      listen_addr: '127.0.0.1:0',
      docker_host: 'unix:///nowhere.sock',
      callback_secret: secret,
      host_address: '203.0.113.10',
      sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 64 } },
      startup_verify_duration: '1ms',
      reconcile_interval: '1h',
      callback_db_path: store('callbacks'),
      diagnostics_db_path: store('diagnostics'),
      releases_db_path: store('releases'),
      retention_db_path: store('retention'),
    };
    writeFileSync(this.#folder.path('backend.yaml'), JSON.stringify(config));
  }

  async start(doors = new CrashDoors()): Promise<void> {
    const inMemory: Doors & Pick<CrashDoors, 'onDeath'> = {
      engine: () => doors.engine(this.engine),
      stores: (stores) => doors.stores(stores),
      callbacks: (send) => doors.callbacks(send),
      onDeath: (end) => doors.onDeath(end),
    };
    this.#program = await Program.start(this.#folder.path('backend.yaml'), inMemory);
  }

  async bury(): Promise<void> {
    this.#callers.abort();
    this.#callers = new AbortController();
    await this.#program?.[Symbol.asyncDispose]();
    this.#program = undefined;
  }

  call(method: string, target: string, body?: unknown): Promise<Reply> {
    const { signal } = this.#callers;
    const port = this.#program?.port ?? 0;
    return callSigned({ port, tls: false }, secret, { method, target, body, options: { signal } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bury();
    this.#folder[Symbol.dispose]();
  }
}

interface Step {
  readonly name: string;
  readonly ask: (host: Host, uuid: string) => Promise<Reply>;
  /** Has the lease heard of it? */
  readonly known: (host: Host, uuid: string) => Promise<boolean>;
  readonly outcome: 'success' | 'failed' | 'deprovisioned';
  /** Afterwards; and the version that runs, if any does. */
  readonly status: string | undefined;
  readonly version: string | undefined;
}

const manifest = (version: string, web: Readonly<Record<string, unknown>> = {}): string => {
  const env = { VERSION: version };
  const services = {
    db: { image: 'docker.io/acme/db:1', env },
    web: { image: 'docker.io/acme/web:1', env, depends_on: { db: { condition: 'service_started' } }, ...web },
  };
  return Buffer.from(JSON.stringify({ services })).toString('base64');
};
const ends = { args: ['ends'] };
const nothing = { args: ['nothing'] };
const absent = { image: 'docker.io/acme/absent:1' };

interface Info {
  readonly status: string;
  readonly fail_count: number;
}

const infoOf = async (host: Host, uuid: string): Promise<Info | undefined> => {
  const { status, body } = await host.call('GET', `/provisions?lease_uuid=${uuid}`);
  if (status !== 200) throw new Error(`a lookup answered ${status}`);
  return (body as { provisions: readonly Info[] }).provisions[0];
};
const releases = async (host: Host, uuid: string): Promise<number> => {
  const { status, body } = await host.call('GET', `/releases/${uuid}`);
  return status === 200 ? (body as readonly unknown[]).length : 0;
};

const provision = (name: string, version: string, web = {}): Step => ({
  name,
  ask: (host, uuid) =>
    host.call('POST', '/provision', {
      lease_uuid: uuid,
      tenant,
      provider_uuid: 'p',
      callback_url: host.receiver.url,
      items: [
        { sku: 'small', quantity: 2, service_name: 'web' },
        { sku: 'small', quantity: 1, service_name: 'db' },
      ],
      payload: manifest(version, web),
    }),
  known: async (host, uuid) => (await infoOf(host, uuid)) !== undefined,
  ...(web === undefined || Object.keys(web).length === 0
    ? { outcome: 'success', status: 'ready', version }
    : { outcome: 'failed', status: 'failed', version: undefined }),
});

const replace = (name: string, count: number, version: string, more: Partial<Step> = {}, web = {}): Step => ({
  name,
  ask: (host, uuid) => {
    const common = { lease_uuid: uuid, callback_url: host.receiver.url };
    return name === 'restart'
      ? host.call('POST', '/restart', common)
      : host.call('POST', '/update', { ...common, payload: manifest(version, web) });
  },
  known: async (host, uuid) => (await releases(host, uuid)) === count,
  outcome: 'success',
  status: 'ready',
  version,
  ...more,
});

const close: Step = {
  name: 'deprovision',
  ask: (host, uuid) => host.call('POST', '/deprovision', { lease_uuid: uuid }),
  known: async (host, uuid) => ['deprovisioning', undefined].includes((await infoOf(host, uuid))?.status),
  outcome: 'deprovisioned',
  status: undefined,
  version: undefined,
};

const back = { outcome: 'failed', version: 'two' } as const;
const lives: Readonly<Record<string, readonly Step[]>> = {
  'a good life': [
    provision('provision', 'one'),
    replace('update', 2, 'two'),
    replace('restart', 3, 'two'),
    close,
  ],
  'updates that fail': [
    provision('provision', 'two'),
    replace('update that ends', 2, 'three', back, ends),
    replace('update that does not start', 3, 'three', back, nothing),
    replace('update without an image', 4, 'three', { ...back, status: 'failed' }, absent),
    close,
  ],
  'provisions that fail': [
    provision('provision that ends', 'one', ends),
    {
      ...provision('provision that does not start', 'one', nothing),
      known: async (host, uuid) => {
        const { status, fail_count: failures = 0 } = (await infoOf(host, uuid)) ?? {};
        return status === 'provisioning' || failures > 1;
      },
    },
    close,
  ],
};

interface Found {
  readonly points: readonly string[];
  readonly diedAt: readonly string[];
}

/** Runs one step with deaths at these points, one after the other, to its end; checks that all is as it should be. */
async function run(host: Host, uuid: string, step: Step, deaths: readonly CrashPoint[]): Promise<Found> {
  const before = host.receiver.of(uuid).length;
  const since = () => host.receiver.of(uuid).slice(before);
  const diedAt: string[] = [];
  /** Deaths after the callback had come in: each may bring it again. */
  let heard = 0;
  let points: readonly string[] = [];
  let asked = false;
  for (const at of [...deaths, noDeath]) {
    const doors = new CrashDoors();
    await host.bury();
    if (diedAt.length > 0) doors.arm(at);
    const started = await host.start(doors).then(
      () => true,
      () => false,
    );
    if (started) {
      if (diedAt.length === 0) doors.arm(at);
      const waiting = begin(host, uuid, step, asked, since);
      const over = waitFor(
        `${step.name} to be told`,
        () => doors.diedAt !== undefined || since().length > 0,
        {
          timeoutMs: waitMs,
          everyMs: 1,
        },
      );
      await over;
      if (doors.diedAt === undefined) await isQuiet(doors);
      if (points.length === 0) points = doors.points;
      asked = true;
      if (doors.diedAt === undefined) {
        doors.disarm();
        await waiting;
        break;
      }
      if (doors.told > 0) heard++;
      await host.bury();
      await waiting;
    }
    diedAt.push(doors.diedAt ?? 'at the start');
  }
  await check(host, uuid, step, `${step.name}, died ${diedAt.join(', then ') || 'never'}`, since, heard);
  return { points, diedAt };
}

/** Asks for it, again where a death came before it was written down. */
async function begin(
  host: Host,
  uuid: string,
  step: Step,
  again: boolean,
  since: () => readonly unknown[],
): Promise<void> {
  try {
    if (again && (since().length > 0 || (await step.known(host, uuid)))) return;
    await step.ask(host, uuid);
  } catch {
    // The program died, and with it the connection.
  }
}

/** Nothing has happened for some turns: what was told is forgotten, and nobody looks at anything any more. */
async function isQuiet(doors: CrashDoors): Promise<void> {
  let last = -1;
  let quiet = 0;
  await waitFor(
    'quiet',
    () => {
      quiet = doors.points.length === last ? quiet + 1 : 0;
      last = doors.points.length;
      return doors.diedAt !== undefined || quiet > 4;
    },
    { timeoutMs: waitMs, everyMs: 1 },
  );
}

async function check(
  host: Host,
  uuid: string,
  { outcome, status, version }: Step,
  where: string,
  since: () => readonly { readonly status: string }[],
  heard: number,
): Promise<void> {
  const look = async () => (await infoOf(host, uuid))?.status;
  await waitFor(`status ${status} after ${where}`, async () => (await look()) === status, {
    timeoutMs: waitMs,
  });
  const told = since().map((one) => one.status);
  expect([...new Set(told)], where).toEqual([outcome]);
  expect(told.length, `${where}: told once`).toBeLessThanOrEqual(1 + heard);
  const names = version === undefined ? [] : ['db-0', 'web-0', 'web-1'].map((name) => `fred-${uuid}-${name}`);
  expect(
    host.engine.everything.map(({ name }) => name),
    where,
  ).toEqual(names);
  for (const { state, config } of host.engine.everything) {
    expect(state.status, where).toBe('running');
    expect(config.Env, where).toContain(`VERSION=${version}`);
  }
  if (status === undefined) expect(host.engine.networkNames, where).toEqual([]);
  if (version !== undefined) expect(host.engine.networkNames, where).toEqual([tenantNetworkName(tenant)]);
  const stats = (await host.call('GET', '/stats')).body;
  expect(stats, where).toMatchObject({ allocated_cpu_cores: version === undefined ? 0 : 1.5 });
}

async function live(
  host: Host,
  steps: readonly Step[],
  deaths: (step: number) => readonly CrashPoint[],
): Promise<readonly Found[]> {
  const uuid = randomUUID();
  const found: Found[] = [];
  for (const [index, step] of steps.entries()) found.push(await run(host, uuid, step, deaths(index)));
  return found;
}

/** The same sequence in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; state = (state * 1103515245 + 12345) % 2 ** 31) yield state;
}

describe('a program that dies on an engine in memory', () => {
  it.each(
    Object.keys(lives),
  )('at any step of %s, and again while it recovers, goes on where it was', async (name) => {
    const steps = lives[name] ?? [];
    await using receiver = await CallbackReceiver.start(secret);
    await using host = new Host(receiver);
    const dry = await live(host, steps, () => []);
    const last = Math.max(...dry.map(({ points }) => points.length));
    const died = new Map<string, Set<string>>();
    const note = (found: readonly Found[]): void => {
      for (const [index, { diedAt }] of found.entries())
        for (const point of diedAt)
          died.set(steps[index]?.name ?? '', (died.get(steps[index]?.name ?? '') ?? new Set()).add(point));
    };
    const random = numbers(last);
    const all = dry.map(({ points }) => named(points));
    const once = (at: number) => (step: number) => [all[step]?.[at] ?? noDeath];
    const deaths: ((step: number) => readonly CrashPoint[])[] = Array.from({ length: last }, (_, at) =>
      once(at),
    );
    for (let round = 0; round < 15; round++) {
      const both = [(random.next().value ?? 0) % last, (random.next().value ?? 0) % 40];
      deaths.push(() => both);
    }
    let twice = 0;
    const lane = async (): Promise<void> => {
      await using heard = await CallbackReceiver.start(secret);
      await using own = new Host(heard);
      for (let one = deaths.shift(); one !== undefined; one = deaths.shift()) {
        const found = await live(own, steps, one);
        twice += found.filter(({ diedAt }) => diedAt.length === 2).length;
        note(found);
      }
    };
    await Promise.all(Array.from({ length: 4 }, lane));
    const sums = dry.map(({ points }, index) => `${steps[index]?.name} ${points.length}`);
    console.log(`crash points of ${name}: ${sums.join(', ')}; ${twice} died twice`);
    for (const [index, { points }] of dry.entries()) {
      const seen = died.get(steps[index]?.name ?? '') ?? new Set();
      expect(
        [...new Set(points)].filter((point) => !seen.has(point)),
        steps[index]?.name,
      ).toEqual([]);
    }
    expect(twice).toBeGreaterThan(10);
  });
});
