/**
 * The program as the process that it is kills itself right before and right after each commit of provision, update, restart and
 * close, on a real engine, and is started again: the operation comes to its end, its caller is told once, nothing is left over.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BackendProgram } from '@berth/lab/provider';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Doom, type PlannedDeath } from './testing/rig/doom.ts';
import { checkDone, type Operation, operations } from './testing/rig/life.ts';
import { Rig } from './testing/rig/rig.ts';

const timesIn = (points: readonly string[], point: string): number =>
  points.filter((one) => one === point).length;

interface Found {
  readonly commits: readonly string[];
  readonly wasKilled: boolean;
}

/** One program on the engine, that dies when it is told to. */
class Lane implements AsyncDisposable {
  readonly rig: Rig;
  readonly #program: BackendProgram;
  readonly #doom: Doom;

  static async open(): Promise<Lane> {
    const config = { startup_verify_duration: '50ms', reconcile_interval: '1h', network_isolation: true };
    const rig = await Rig.open({ later: true, config });
    const entry = join(import.meta.dirname, 'testing', 'rig', 'doomed-main.ts');
    const program = await BackendProgram.start({
      dockerSocket: rig.host.socketPath,
      config: rig.config,
      entry,
    });
    rig.attach(program.port);
    return new Lane(rig, program);
  }

  private constructor(rig: Rig, program: BackendProgram) {
    this.rig = rig;
    this.#program = program;
    this.#doom = new Doom(program.folder);
  }

  /** Runs the operation, with a death at that commit if it gets there, to its end; checks that all is as it should be. */
  async run(uuid: string, operation: Operation, death?: PlannedDeath): Promise<Found> {
    const { rig } = this;
    const before = rig.receiver.of(uuid).length;
    const since = () => rig.receiver.of(uuid).slice(before);
    const earlier = this.#doom.commits;
    if (death !== undefined) this.#doom.plan({ ...death, nth: death.nth + timesIn(earlier, death.point) });
    const asked = operation.ask(rig, uuid).catch(() => undefined);
    const commits = () => this.#doom.commits.slice(earlier.length);
    // The outbox takes the outcome in, and forgets it when it has arrived: the last commit of all.
    const isOver = () => !this.#program.running || timesIn(commits(), 'after commit of callback') === 2;
    await waitFor(`the end of ${operation.name}`, isOver, { timeoutMs: 60_000 });
    const found = { commits: commits(), wasKilled: !this.#program.running };
    const heard = found.wasKilled && (await this.#startAgain(uuid, operation, since, asked));
    this.#doom.avert();
    await asked;
    const where = `${operation.name}, killed ${death === undefined ? 'never' : `${death.point} ${death.nth}`}`;
    await checkDone(rig, uuid, operation, where, since, heard);
    return found;
  }

  /** Had the caller heard before the death? */
  async #startAgain(
    uuid: string,
    { known, ask }: Operation,
    since: () => readonly unknown[],
    asked: Promise<unknown>,
  ): Promise<boolean> {
    const { rig } = this;
    await rig.receiver.quiet();
    const heard = since().length > 0;
    rig.hangUp();
    await asked;
    this.#doom.clear();
    await this.#program.stop();
    await this.#program.run();
    rig.attach(this.#program.port);
    if (!heard && !(await known(rig, uuid))) await ask(rig, uuid);
    return heard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.rig[Symbol.asyncDispose]();
  }
}

const lanes: Lane[] = [];
beforeAll(async () => {
  for (let lane = 0; lane < 2; lane++) lanes.push(await Lane.open());
});
afterAll(() => Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]())));

/** A whole life of a lease; each of its operations with a death at the commit that is planned for it, if any is. */
async function live(
  lane: Lane,
  deathIn: (operation: number) => PlannedDeath | undefined,
): Promise<readonly Found[]> {
  const uuid = randomUUID();
  const found: Found[] = [];
  for (const [index, operation] of operations.entries())
    found.push(await lane.run(uuid, operation, deathIn(index)));
  return found;
}

describe('a process that is killed', () => {
  it('before or after any commit of any operation goes on where it was', async () => {
    const [first, ...others] = await Promise.all(lanes.map((lane) => live(lane, () => undefined)));
    expect(others.map((life) => life.map(({ commits }) => commits))).toEqual([
      first?.map(({ commits }) => commits),
    ]);
    const deaths = (first ?? []).map(({ commits }) =>
      commits.map((point, at): PlannedDeath => ({ point, nth: timesIn(commits.slice(0, at), point) })),
    );
    const died = operations.map(() => 0);
    let next = 0;
    const last = Math.max(...deaths.map(({ length }) => length));
    const inLane = async (lane: Lane): Promise<void> => {
      for (let at = next++; at < last; at = next++)
        for (const [index, { wasKilled }] of (await live(lane, (of) => deaths[of]?.[at])).entries())
          died[index] = (died[index] ?? 0) + (wasKilled ? 1 : 0);
    };
    await Promise.all(lanes.map(inLane));
    for (const [index, { name }] of operations.entries())
      console.log(`${name}: killed ${died[index]} times, before and after each of its commits`);
    expect(died).toEqual(deaths.map(({ length }) => length));
    expect(Math.min(...died)).toBeGreaterThan(7);
  }, 1_200_000);
});
