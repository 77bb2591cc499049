/**
 * Leases with data on a real engine and a real btrfs: the program dies at every call of the engine, every commit, every step of
 * its volumes and every tool that such a step runs, and is started again. The operation comes to its end, its caller is told, the
 * data is whole in exactly one place, nothing is leaked, and the books are right. What makes room for newer data and what has
 * outlived its time goes, whole, and is counted until then.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystem } from '@berth/lab';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordCopies } from './retention/index.ts';
import {
  broken,
  service as db,
  look,
  nameIn,
  type Place,
  type Promised,
  sizeMb,
} from './testing/power/promises.ts';
import { CrashDoors, type CrashPoint, named, noDeath } from './testing/rig/crash-doors.ts';
import { imageOf } from './testing/rig/images.ts';
import { Rig } from './testing/rig/rig.ts';
import { makeRigDisk } from './testing/rig/rig-disk.ts';

const folder = 'srv/data';
const waitMs = 120_000;
/** Of all points, every so many are tried. */
const stride = Number(process.env['BERTH_CRASH_STRIDE'] ?? 7);

interface Lane {
  readonly rig: Rig;
  readonly disk: FileSystem;
}

/** The leases of one life, and the data that is promised to be somewhere. */
interface World extends Lane {
  readonly first: string;
  readonly second: string;
  readonly other: string;
}

const live = (lease: string): Place => ({ lease, as: 'live' });
const kept = (lease: string): Place => ({ lease, as: 'kept' });

const manifest = { [db]: { image: imageOf('owned') } };
const items = [{ sku: 'data', quantity: 1, service_name: db }];

const provision = ({ rig }: World, uuid: string): Promise<unknown> =>
  rig.provision(manifest, { uuid, items });
const restore = ({ rig }: World, from: string, to: string): Promise<unknown> => {
  const { payload: _, ...body } = rig.provisionBody(manifest, { uuid: to, items });
  return rig.ask(202, 'POST', '/restore', { ...body, from_lease_uuid: from });
};
const close = ({ rig }: World, uuid: string): Promise<unknown> => rig.deprovision(uuid);

const write = ({ disk }: World, lease: string): void =>
  writeFileSync(join(disk.path, nameIn(live(lease), 0), folder, 'file'), 'precious', { flush: true });

const isKnown = async ({ rig }: World, uuid: string): Promise<boolean> =>
  (await rig.info(uuid)) !== undefined;
const isClosing = async ({ rig }: World, uuid: string): Promise<boolean> =>
  !['ready', 'failed'].includes((await rig.info(uuid))?.status ?? '');

/** What somebody asks for, and is told of in the end. */
interface Request {
  readonly prepare?: (world: World) => Promise<void>;
  readonly of: (world: World) => string;
  readonly ask: (world: World) => Promise<unknown>;
  /** Has the lease heard of it? Asked after a death before the answer. */
  readonly known: (world: World) => Promise<boolean>;
  readonly outcome: 'success' | 'deprovisioned';
  /** What is done for it beside that has been done. */
  readonly isDone?: (world: World) => Promise<boolean>;
}

/** One operation, and where the data is when it has been done. */
interface Operation {
  readonly name: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Without one it happens by itself, when the program starts with these settings. */
  readonly request?: Request;
  readonly leaves: (world: World) => Readonly<Record<string, readonly Place[]>>;
}

const operations: readonly Operation[] = [
  {
    name: 'provision',
    request: {
      of: ({ first }) => first,
      ask: (world) => provision(world, world.first),
      known: (world) => isKnown(world, world.first),
      outcome: 'success',
    },
    leaves: ({ first }) => ({ data: [live(first)] }),
  },
  {
    name: 'retain',
    request: {
      prepare: async (world) => write(world, world.first),
      of: ({ first }) => first,
      ask: (world) => close(world, world.first),
      known: (world) => isClosing(world, world.first),
      outcome: 'deprovisioned',
    },
    leaves: ({ first }) => ({ data: [kept(first)] }),
  },
  {
    name: 'restore',
    request: {
      of: ({ second }) => second,
      ask: (world) => restore(world, world.first, world.second),
      known: (world) => isKnown(world, world.second),
      outcome: 'success',
    },
    leaves: ({ second }) => ({ data: [live(second)] }),
  },
  {
    name: 'start again after a close',
    request: {
      prepare: async (world) => {
        await told(world, world.second, 'deprovisioned', () => close(world, world.second));
      },
      of: ({ second }) => second,
      ask: (world) => provision(world, world.second),
      known: async ({ rig, second }) => !['retained', undefined].includes((await rig.info(second))?.status),
      outcome: 'success',
    },
    leaves: ({ second }) => ({ data: [live(second)] }),
  },
  {
    name: 'retain and evict',
    settings: { max_retained_leases_per_tenant: 1 },
    request: {
      prepare: async (world) => {
        await told(world, world.other, 'success', () => provision(world, world.other));
        await told(world, world.other, 'deprovisioned', () => close(world, world.other));
      },
      of: ({ second }) => second,
      ask: (world) => close(world, world.second),
      known: (world) => isClosing(world, world.second),
      outcome: 'deprovisioned',
      // The copy of its record goes last.
      isDone: async ({ disk, other }) => (await recordCopies(disk.path).read(other)) === undefined,
    },
    leaves: ({ second }) => ({ data: [kept(second)], evicted: [] }),
  },
  {
    name: 'reap',
    settings: { retention_max_age: '1ms' },
    leaves: () => ({ data: [] }),
  },
  {
    name: 'destroy',
    settings: { retain_on_close: false },
    request: {
      prepare: async (world) => {
        await told(world, world.second, 'success', () => provision(world, world.second));
        write(world, world.second);
      },
      of: ({ second }) => second,
      ask: (world) => close(world, world.second),
      known: (world) => isClosing(world, world.second),
      outcome: 'deprovisioned',
    },
    leaves: () => ({ data: [] }),
  },
];

async function told(
  { rig }: World,
  uuid: string,
  outcome: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const { status, error } = await rig.next(uuid, act, waitMs);
  if (status !== outcome) throw new Error(`lease ${uuid} ended ${status}, not ${outcome}: ${error}`);
}

interface Found {
  readonly points: readonly string[];
  readonly diedAt: string | undefined;
}

async function runWithDeath(world: World, operation: Operation, at: CrashPoint): Promise<Found> {
  const { rig } = world;
  await rig.bury();
  rig.configure({ retain_on_close: true, ...operation.settings });
  const { name, request } = operation;
  const found =
    request === undefined ? await startsWithDeath(world, at) : await askWithDeath(world, name, request, at);
  await allAsPromised(world, operation, `${name}, died at ${found.diedAt ?? 'no point'}`);
  return found;
}

async function startsWithDeath({ rig }: World, at: CrashPoint): Promise<Found> {
  const doors = new CrashDoors();
  doors.arm(at);
  await rig.start(doors).catch((error: unknown) => {
    if (doors.diedAt === undefined) throw error;
  });
  doors.disarm();
  const { diedAt, points } = doors;
  if (diedAt !== undefined) {
    await rig.bury();
    await rig.start(new CrashDoors());
  }
  return { points, diedAt };
}

async function askWithDeath(world: World, name: string, request: Request, at: CrashPoint): Promise<Found> {
  const { rig } = world;
  const uuid = request.of(world);
  let doors = new CrashDoors();
  await rig.start(doors);
  await request.prepare?.(world);
  const before = rig.receiver.of(uuid).length;
  const since = () => rig.receiver.of(uuid).slice(before);
  // What may come a second time has come before anything else is asked for.
  const isTold = (): boolean => since().length > 0 && doors.owed === 0;
  doors.arm(at);
  const asked = request.ask(world).catch(() => undefined);
  await waitFor(
    `the end of ${name}`,
    async () => doors.diedAt !== undefined || (isTold() && (await request.isDone?.(world)) !== false),
    { timeoutMs: waitMs, evidence: () => doors.points.slice(-5).join(', ') },
  );
  const { diedAt, points } = doors;
  if (diedAt !== undefined) {
    const heard = doors.told > 0;
    await rig.bury();
    await asked;
    doors = new CrashDoors();
    await rig.start(doors);
    if (!heard && !(await request.known(world))) await request.ask(world);
  }
  doors.disarm();
  await asked;
  await waitFor(`a callback of ${name}`, isTold, { timeoutMs: waitMs });
  const where = `${name}, died at ${diedAt ?? 'no point'}`;
  expect([...new Set(since().map(({ status }) => status))], where).toEqual([request.outcome]);
  return { points, diedAt };
}

async function allAsPromised(
  { rig, disk, ...leases }: World,
  operation: Operation,
  where: string,
): Promise<void> {
  const storage = {
    volumes: disk.path,
    folder,
    call: (method: string, target: string) => rig.call(method, target),
    ask: (expected: number, method: string, target: string) => rig.ask(expected, method, target),
  };
  const content = operation.name === 'provision' ? '' : 'precious';
  const places = Object.entries(operation.leaves({ rig, disk, ...leases }));
  const promises = new Map(
    places.map(([data, held]): [string, Promised] => [
      data,
      { places: held, mayBeGone: held.length === 0, contents: [[content]] },
    ]),
  );
  let wrong: readonly string[] = [];
  const isRight = async (): Promise<boolean> => {
    const seen = await look(storage);
    const volumes = places.reduce((sum, [, held]) => sum + held.length, 0);
    wrong = [
      ...broken(promises, seen),
      ...(seen.names.size === volumes ? [] : [`there are ${[...seen.names].join(', ')}`]),
    ];
    return wrong.length === 0;
  };
  const evidence = (): string => wrong.join('\n');
  await waitFor(`everything as promised after ${where}`, isRight, {
    timeoutMs: waitMs,
    everyMs: 50,
    evidence,
  });
}

const lanes: Lane[] = [];
const laneCount = 3;

beforeAll(async () => {
  const host = (await lab()).host();
  for (let lane = 0; lane < laneCount; lane++) {
    const disk = await makeRigDisk(host, `crash-${process.pid}-${lane}`);
    const config = {
      startup_verify_duration: '50ms',
      container_stop_timeout: '1s',
      reconcile_interval: '1h',
      retain_on_close: true,
      sku_profiles: { data: { cpu_cores: 0.1, memory_mb: 32, disk_mb: sizeMb } },
      total_disk_mb: 400,
      volume_data_path: disk.path,
      volume_filesystem: 'btrfs',
    };
    lanes.push({ disk, rig: await Rig.open({ later: true, config }) });
  }
});
afterAll(async () => {
  for (const { rig, disk } of lanes) {
    await rig[Symbol.asyncDispose]();
    await disk[Symbol.asyncDispose]();
  }
});

async function life(lane: Lane, at: (operation: number) => CrashPoint): Promise<readonly Found[]> {
  const world = { ...lane, first: randomUUID(), second: randomUUID(), other: randomUUID() };
  const found: Found[] = [];
  for (const [index, operation] of operations.entries())
    found.push(await runWithDeath(world, operation, at(index)));
  return found;
}

describe('a program that dies among volumes', () => {
  it('at any step loses nothing of them, leaks nothing, and goes on where it was', async () => {
    const dry = await life(lanes[0] as Lane, () => noDeath);
    const all = dry.map(({ points }) => named(points));
    const last = Math.max(...all.map((points) => points.length));
    const deaths = new Map(operations.map(({ name }) => [name, new Set<string>()]));
    let next = 0;
    const run = async (lane: Lane): Promise<void> => {
      for (let at = next; at < last; at = next) {
        next += stride;
        for (const [index, { diedAt }] of (await life(lane, (of) => all[of]?.[at] ?? noDeath)).entries())
          if (diedAt !== undefined) deaths.get(operations[index]?.name ?? '')?.add(`${at}: ${diedAt}`);
      }
    };
    await Promise.all(lanes.map(run));
    for (const [index, { name }] of operations.entries()) {
      const { points = [] } = dry[index] ?? {};
      const died = deaths.get(name) ?? new Set();
      process.stdout.write(`crash points of ${name} with a volume: ${points.length}; died at ${died.size}\n`);
      expect(points.filter((point) => point.includes('disk.')).length, name).toBeGreaterThan(0);
      expect(died.size, `${name} has died at its steps`).toBeGreaterThan((points.length / stride) * 0.8 - 1);
    }
  }, 3_600_000);
});
