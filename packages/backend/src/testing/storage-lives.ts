/** Worlds of the storage model lived through, one after the other or beside one another. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StorageHistory } from './storage-history.ts';

export const stepsOfOneWorld = 1000;

/** What was done, and how often. */
export type Did = ReadonlyMap<string, number>;

/**
 * Where a life is, for whoever has to say it when something is wrong. In memory that threads share: one that is ended by an error
 * which nobody awaits, or by anything else, tells nothing any more.
 */
export class Place {
  readonly #at: Int32Array<SharedArrayBuffer>;

  constructor(shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.#at = new Int32Array(shared);
  }

  get shared(): SharedArrayBuffer {
    return this.#at.buffer;
  }

  is(world: number, step: number): void {
    this.#at.set([world, step]);
  }

  error(seed: number, error: unknown): Error {
    const [world, step] = this.#at;
    return new Error(`BERTH_SEED=${seed}: world ${world}, step ${step}: ${String(error)}`, { cause: error });
  }
}

/** Lives through one world. What it throws does not say where: the place does. */
export async function liveThrough(
  seed: number,
  world: number,
  place: Place,
  before: (step: number) => unknown = () => undefined,
): Promise<Did> {
  place.is(world, 0);
  await using history = new StorageHistory(seed + world);
  for (let step = 0; step < stepsOfOneWorld; step++) {
    place.is(world, step);
    await before(step);
    await history.step();
  }
  return history.did;
}

/** Fewer are not worth another thread. */
const worthThreads = 10;
const mostThreads = 4;

export async function liveThroughAll(seed: number, worlds: number): Promise<Did> {
  const sums = new Map<string, number>();
  const add = (did: Did): void => {
    for (const [what, count] of did) sums.set(what, (sums.get(what) ?? 0) + count);
  };
  const threads = worlds < worthThreads ? 1 : Math.min(mostThreads, availableParallelism());
  if (threads === 1) for (let world = 0; world < worlds; world++) add(await inThisThread(seed, world));
  else
    for (const did of await Promise.all(
      Array.from({ length: threads }, (_, first) => inThread({ seed, first, worlds, every: threads })),
    ))
      add(did);
  return sums;
}

async function inThisThread(seed: number, world: number): Promise<Did> {
  const place = new Place();
  try {
    return await liveThrough(seed, world, place);
  } catch (error) {
    throw place.error(seed, error);
  }
}

/** The worlds of one thread: every so many from the first one on. */
export interface Share {
  readonly seed: number;
  readonly first: number;
  readonly worlds: number;
  readonly every: number;
  /** For a test of what is told then: the thread breaks there. */
  readonly breaks?: { readonly world: number; readonly step: number; readonly how: Break };
}

export type Break = 'throws' | 'throws where nobody awaits it' | 'rejects where nobody awaits it' | 'exits';

export interface ThreadData extends Share {
  readonly place: SharedArrayBuffer;
}

export function inThread(share: Share): Promise<Did> {
  const place = new Place();
  const workerData: ThreadData = { ...share, place: place.shared };
  const worker = new Worker(new URL('storage-lives-thread.ts', import.meta.url), {
    workerData,
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(place.error(share.seed, error));
    worker.once('message', resolve);
    worker.once('error', fail);
    worker.once('exit', (code) => fail(new Error(`a thread of the model ended with ${code}`)));
  });
}
