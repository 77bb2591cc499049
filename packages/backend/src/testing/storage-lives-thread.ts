/** One thread of the storage model. An error ends it, and is told by that. */
import { parentPort, workerData } from 'node:worker_threads';
import { liveThrough, type Share } from './storage-lives.ts';

const { seed, first, worlds, every } = workerData as Share;
const sums = new Map<string, number>();
for (let world = first; world < worlds; world += every)
  for (const [what, count] of await liveThrough(seed, world)) sums.set(what, (sums.get(what) ?? 0) + count);
parentPort?.postMessage(sums);
