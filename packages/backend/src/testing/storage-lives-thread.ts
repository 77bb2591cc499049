/** One thread of the storage model. An error ends it, and is told by that. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Break, liveThrough, Place, type ThreadData } from './storage-lives.ts';

const { seed, first, worlds, every, breaks, place: shared } = workerData as ThreadData;
const place = new Place(shared);
const sums = new Map<string, number>();
for (let world = first; world < worlds; world += every) {
  const before = (step: number): unknown =>
    world === breaks?.world && step === breaks.step ? breakDown(breaks.how) : undefined;
  for (const [what, count] of await liveThrough(seed, world, place, before))
    sums.set(what, (sums.get(what) ?? 0) + count);
}
parentPort?.postMessage(sums);

/** Does not go on in this step: the thread is where it broke. */
async function breakDown(how: Break): Promise<void> {
  const error = new Error('broken on purpose');
  if (how === 'throws') throw error;
  if (how === 'exits') process.exit(7);
  if (how === 'rejects where nobody awaits it') void Promise.reject(error);
  else
    setImmediate(() => {
      throw error;
    });
  await new Promise(() => undefined);
}
