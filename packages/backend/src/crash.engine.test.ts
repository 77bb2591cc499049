/**
 * The program dies at every single step of provision, update, restart and close, on a real engine, and is started again: the
 * operation comes to its end all the same, its caller is told once, and nothing is left over.
 */
import { randomUUID } from 'node:crypto';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Told } from './testing/rig/callback-receiver.ts';
import { CrashDoors, type CrashPoint, named, noDeath } from './testing/rig/crash-doors.ts';
import { checkDone, type Operation, operations } from './testing/rig/life.ts';
import { Rig } from './testing/rig/rig.ts';

interface Found {
  /** The points of the operation, as far as it came. */
  readonly points: readonly string[];
  readonly diedAt: string | undefined;
}

/** Runs the operation, with a death at that point if it gets there, to its end; checks that all is as it should be. */
async function runWithDeath(rig: Rig, uuid: string, operation: Operation, at: CrashPoint): Promise<Found> {
  const where = `${operation.name}, point ${JSON.stringify(at)}`;
  const before = rig.receiver.of(uuid).length;
  const toldSince = (): readonly Told[] => rig.receiver.of(uuid).slice(before);
  let doors = new CrashDoors();
  await rig.bury();
  await rig.start(doors);
  doors.arm(at);
  const asked = operation.ask(rig, uuid).then(
    () => 'answered' as const,
    () => 'unanswered' as const,
  );
  // It is over when its caller knows, and what was sent is forgotten.
  const over = waitFor(`the end of ${where}`, () => toldSince().length > 0, { timeoutMs: 60_000 }).then(
    () => 'told' as const,
  );
  const first = await Promise.race([doors.died.then(() => 'died' as const), over]);
  const { points } = doors;
  let diedAt: string | undefined;
  let heardBefore = false;
  if (first === 'told') await waitForForgetting(doors);
  if (doors.diedAt !== undefined) {
    over.catch(() => undefined);
    heardBefore = doors.told > 0;
    diedAt = doors.diedAt;
    await rig.bury();
    await asked;
    doors = new CrashDoors();
    await rig.start(doors);
    if (!(await operation.known(rig, uuid)) && !heardBefore) await operation.ask(rig, uuid);
  }
  doors.disarm();
  await asked;
  // What may come a second time has come before anything else is asked for.
  const isTold = (): boolean => toldSince().length > 0 && doors.owed === 0;
  await waitFor(`the end of ${where}, died at ${diedAt}`, isTold, { timeoutMs: 60_000 });
  await checkDone(rig, uuid, operation, `${where} (${diedAt ?? 'no death'})`, toldSince, heardBefore);
  return { points, diedAt };
}

/** The last point of every operation: the outbox forgets what has arrived. */
async function waitForForgetting(doors: CrashDoors): Promise<void> {
  const isForgotten = (): boolean =>
    doors.diedAt !== undefined || doors.points.at(-1) === 'after commit of callback';
  await waitFor('the outbox to forget', isForgotten, { timeoutMs: 60_000 });
}

const lanes = 4;
const rigs: Rig[] = [];
beforeAll(async () => {
  const config = { startup_verify_duration: '50ms', reconcile_interval: '1h', network_isolation: true };
  for (let lane = 0; lane < lanes; lane++) rigs.push(await Rig.open({ later: true, config }));
});
afterAll(() => Promise.all(rigs.map((rig) => rig[Symbol.asyncDispose]())));

describe('a program that dies', () => {
  it('at any step of any operation goes on where it was', async () => {
    const dry = await life(rigs[0]!, () => noDeath);
    const all = dry.map(({ points }) => named(points));
    const last = Math.max(...all.map((points) => points.length));
    const deaths = new Map(operations.map(({ name }) => [name, new Set<string>()]));
    let next = 0;
    const lane = async (rig: Rig): Promise<void> => {
      for (let at = next++; at < last; at = next++)
        for (const [index, { diedAt }] of (await life(rig, (of) => all[of]?.[at] ?? noDeath)).entries())
          if (diedAt !== undefined) deaths.get(operations[index]?.name ?? '')?.add(`${at}: ${diedAt}`);
    };
    await Promise.all(rigs.map(lane));
    for (const [index, { name }] of operations.entries()) {
      const seen = dry[index]?.points ?? [];
      const died = deaths.get(name) ?? new Set();
      const commits = seen.filter((point) => point.includes('commit of')).length;
      console.log(
        `crash points of ${name}: ${seen.length} in a run without a death (${commits} at commits, ` +
          `${seen.length - commits} at calls of the engine); died at ${died.size}, and went on`,
      );
      const kinds = new Set(Array.from(died, (point) => point.replace(/^\d+: /, '')));
      const changing = seen.filter(changes(seen));
      expect(
        [...new Set(changing)].filter((point) => !kinds.has(point)),
        `${name} has died at each kind of step`,
      ).toEqual([]);
      expect(died.size, `${name} has died at its steps`).toBeGreaterThanOrEqual(changing.length);
    }
  }, 1_200_000);
});

/** What changes nothing has no point after it. Events come as they come, and make a look more or less. */
function changes(points: readonly string[]): (point: string) => boolean {
  const done = new Set(points.flatMap((point) => (point.startsWith('after ') ? [point.slice(6)] : [])));
  return (point) => done.has(point.replace(/^(before|after) /, ''));
}

/** A whole life of a lease, each of its operations with a death at that point. */
async function life(rig: Rig, at: (operation: number) => CrashPoint): Promise<readonly Found[]> {
  const uuid = randomUUID();
  const found: Found[] = [];
  for (const [index, operation] of operations.entries())
    found.push(await runWithDeath(rig, uuid, operation, at(index)));
  return found;
}
