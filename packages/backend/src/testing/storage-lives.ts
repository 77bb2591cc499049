/** Worlds of the storage model lived through, one after the other or beside one another. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StorageHistory } from './storage-history.ts';

export const stepsOfOneWorld = 1000;

/** What was done, and how often. */
export type Did = ReadonlyMap<string, number>;

/** Lives through one world; says where it was when something is wrong. */
export async function liveThrough(seed: number, world: number): Promise<Did> {
  await using history = new StorageHistory(seed + world);
  for (let step = 0; step < stepsOfOneWorld; step++)
    try {
      await history.step();
    } catch (error) {
      throw new Error(`BERTH_SEED=${seed}: world ${world}, step ${step}: ${String(error)}`, { cause: error });
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
  if (threads === 1) for (let world = 0; world < worlds; world++) add(await liveThrough(seed, world));
  else
    for (const did of await Promise.all(
      Array.from({ length: threads }, (_, first) => inThread({ seed, first, worlds, every: threads })),
    ))
      add(did);
  return sums;
}

/** The worlds of one thread: every so many from the first one on. */
export interface Share {
  readonly seed: number;
  readonly first: number;
  readonly worlds: number;
  readonly every: number;
}

function inThread(share: Share): Promise<Did> {
  const worker = new Worker(new URL('storage-lives-thread.ts', import.meta.url), {
    workerData: share,
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread of the model ended with ${code}`)));
  });
}
