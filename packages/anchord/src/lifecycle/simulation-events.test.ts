/**
 * The anchors as they run, with their own loops on a virtual clock, in a world that does not rest: events of containers and
 * networks come late, twice, out of order or never, streams break, calls are lost, and a second rebinder wants the same as
 * the first. The seed is BERTH_SEED; a failure names the history that failed.
 */
import type { EngineEvent } from '@berth/engine';
import { seededRandom, VirtualClock } from '@berth/service';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { featureRow } from '../permissions/index.ts';
import { simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import type { Fate } from '../testing/sim-host.ts';
import { expectInOrder, SimWorld } from '../testing/sim-world.ts';

const seed = fc.readConfigureGlobal().seed ?? 0;
const stepsOfEach = 250;
/** `npm test` asks for two hundred thousand; while one works, unit tests take seconds. */
const asked = 2 * Number(process.env['BERTH_MODEL_STEPS'] ?? 5_000);
const histories = Math.ceil(asked / stepsOfEach);
/** After that long nobody is at work any more whom we do not know, and every patience has ended. */
const longMs = 200_000;
const twoPollsMs = 66_000;

const askers = [
  ['edge-anchord-1', 'managed'],
  ['wrap-rebinder-1', 'wrap-rebinder'],
] as const;

interface Listener {
  hear(event: EngineEvent): void;
  resync(): void;
}

/** What one anchor gets to hear, and when. */
class Ear {
  readonly counts = { heard: 0, lost: 0, doubled: 0, late: 0 };
  readonly #listener: Listener;
  readonly #random: () => number;
  #coming: { readonly event: EngineEvent; readonly afterSteps: number }[] = [];

  constructor(listener: Listener, random: () => number) {
    this.#listener = listener;
    this.#random = random;
  }

  tell(event: EngineEvent): void {
    const fate = this.#random();
    if (fate < 0.2) this.counts.lost += 1;
    else if (fate < 0.6) this.#hear(event);
    else if (fate < 0.7) {
      this.counts.doubled += 1;
      this.#hear(event);
      this.#hear(event);
    } else {
      this.counts.late += 1;
      this.#coming.push({ event, afterSteps: 1 + Math.floor(this.#random() * 5) });
    }
  }

  /** One step later. */
  pass(): void {
    const coming = this.#coming;
    this.#coming = [];
    for (const { event, afterSteps } of coming)
      if (afterSteps <= 1) this.#hear(event);
      else this.#coming.push({ event, afterSteps: afterSteps - 1 });
    if (this.#random() < 0.02) this.#listener.resync();
  }

  #hear(event: EngineEvent): void {
    this.counts.heard += 1;
    this.#listener.hear(event);
  }
}

class History {
  readonly clock = new VirtualClock();
  readonly world: SimWorld;
  readonly ears: readonly Ear[];
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];
  #events = 0;

  constructor(number: number) {
    const random = seededRandom(seed * 31 + number);
    this.world = new SimWorld(random, this.clock);
    const { host } = this.world;
    const { keeper } = simKeeper(host, { gateway: () => this.world.gateway });
    const rebinders = ['wrap-rebinder-1', 'wrap-rebinder-2'].map(
      (actor) => simRebinder(host, actor).rebinder,
    );
    const anchors = [keeper, ...rebinders];
    this.ears = anchors.map((anchor) => new Ear(anchor, random));
    host.onEvent = (action, { id, name, labels }) => this.#tell('container', action, id, { ...labels, name });
    this.#running = anchors.map((anchor) => anchor.run(this.#stop.signal));
  }

  #tell(type: string, action: string, id: string, attributes: Readonly<Record<string, string>>): void {
    this.#events += 1;
    const event = { type, action, id, attributes, at: this.clock.now(), key: `${this.#events}` };
    for (const ear of this.ears) ear.tell(event);
  }

  /** Somebody does something, at times in the middle of a repair, and some time passes. */
  async step(): Promise<void> {
    const { random, host } = this.world;
    host.onCall = (): Fate => {
      if (random() < 0.02) this.world.stir();
      const fate = random();
      return fate < 0.02 ? 'lost request' : fate < 0.04 ? 'lost answer' : 'done';
    };
    const { gateway } = this.world;
    this.world.stir();
    if (this.world.gateway !== gateway)
      for (const action of ['disconnect', 'connect']) this.#tell('network', action, 'n', { name: 'transit' });
    for (const ear of this.ears) ear.pass();
    await this.clock.advance(random() < 0.7 ? random() * 300 : random() * 20_000);
  }

  /** Nobody does anything any more, and what was to be heard is heard. */
  async rest(): Promise<void> {
    this.world.host.onCall = () => 'done';
    for (let step = 0; step < 5; step++) for (const ear of this.ears) ear.pass();
    await this.clock.advance(longMs);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(twoPollsMs);
    await Promise.all(this.#running);
  }
}

it('anchors that hear late, twice or nothing come to rest in a world that does', async () => {
  const counts = { heard: 0, lost: 0, doubled: 0, late: 0 };
  let deeds = 0;
  const called = new Map<string, Set<string>>();
  for (let number = 0; number < histories; number++) {
    const history = new History(number);
    const { host, random } = history.world;
    const say = (what: string) => `history ${number} of seed ${seed}: ${what}`;
    for (let step = 0; step < stepsOfEach; step++) {
      await history.step();
      if (random() > 0.05 && step < stepsOfEach - 1) continue;
      await history.rest();
      const done = host.deeds.length;
      await history.clock.advance(twoPollsMs);
      expect(host.deeds.length, say('somebody is never content')).toBe(done);
      try {
        expectInOrder(history.world);
      } catch (error) {
        throw new Error(say('not in order'), { cause: error });
      }
      deeds += done;
      host.deeds.length = 0;
    }
    await history.end();
    for (const [actor, calls] of host.calledBy)
      called.set(actor, new Set([...(called.get(actor) ?? []), ...calls]));
    for (const ear of history.ears)
      for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += ear.counts[key];
  }
  const { heard, lost, doubled, late } = counts;
  process.stdout.write(
    `  simulated steps: ${histories * stepsOfEach}, deeds of three anchors: ${deeds}, events heard ${heard}, lost ${lost}, twice ${doubled}, late ${late}, seed ${seed}\n`,
  );
  // What the table of permissions lists is what they ask of Docker, no more and no less.
  for (const [actor, feature] of askers)
    expect([...(called.get(actor) ?? [])].sort(), actor).toEqual(
      featureRow(feature)
        .needs.filter((name) => name !== 'events')
        .sort(),
    );
  for (const count of [deeds, heard, lost, doubled, late]) expect(count).toBeGreaterThan(1_000);
}, 1_800_000);
