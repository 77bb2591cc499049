/**
 * Random histories of a network and its owner's containers, with events that are lost, doubled or late, and calls that
 * fail: the follower always ends where it belongs, and never keeps the owner from removing its network.
 */
import type { EngineEvent } from '@berth/engine';
import { seededRandom } from '@berth/service';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testParts } from '../../testing/program.ts';
import { SimPeer } from '../../testing/sim-peer.ts';
import { ExternalRebinder } from './rebinder.ts';

const seed = fc.readConfigureGlobal().seed ?? 0;

const eventOf = (action: string): EngineEvent => ({
  type: 'network',
  action,
  id: '',
  attributes: { name: 'peer' },
  at: 0,
  key: '',
});

const quick = { most: 1e9, firstPauseMs: 0, longestPauseMs: 0 };
const { signal } = new AbortController();

/** One history: what the owner does, and as much of it as the follower gets to hear. */
class History {
  readonly random: () => number;
  readonly peer: SimPeer;
  readonly rebinder: ExternalRebinder;

  constructor(number: number) {
    this.random = seededRandom(seed * 7_919 + number);
    this.peer = new SimPeer(this.random);
    this.peer.up();
    this.peer.join('mail', 'post');
    this.peer.events.length = 0;
    this.rebinder = new ExternalRebinder(
      { network: 'peer', target: 'mail', project: undefined, restart: false, backoffMs: 2_000 },
      { ...testParts(), clock: this.peer.clock, door: this.peer.door(), limits: quick },
    );
  }

  /** Some get lost, some come twice. */
  async deliver(): Promise<void> {
    const { events } = this.peer;
    for (let action = events.shift(); action !== undefined; action = events.shift()) {
      const fate = this.random();
      if (fate < 0.15) continue;
      await this.rebinder.hear(eventOf(action), signal);
      if (fate > 0.9) await this.rebinder.hear(eventOf(action), signal);
    }
  }

  async stir(): Promise<void> {
    const kind = this.random();
    if (kind < 0.35) this.peer.up();
    else if (kind < 0.75) this.peer.leave();
    else this.peer.remove();
    this.peer.troubled = this.random() < 0.5;
    if (this.random() < 0.4) await this.deliver();
    if (this.random() < 0.2) await this.rebinder.act('poll', signal);
  }

  async rest(): Promise<void> {
    this.peer.troubled = false;
    for (let round = 0; round < 4; round++) {
      await this.deliver();
      await this.rebinder.act('poll', signal);
    }
  }
}

describe('a follower of a network that comes and goes', () => {
  it('waits for nobody where it is already', async () => {
    const { peer, rebinder } = new History(0);
    while (peer.others > 0) peer.leave();
    const began = peer.clock.monotonic();
    await rebinder.hear(eventOf('create'), signal);
    expect(peer.clock.monotonic() - began).toBeLessThanOrEqual(2_000);
    expect(peer.isPinned).toBe(true);
  });

  it('ends on it when it is in use, and off it when it is not', async () => {
    let steps = 0;
    for (let number = 0; number < 300; number++) {
      const history = new History(number);
      const { peer, rebinder } = history;
      await rebinder.act('bootstrap', signal);
      for (let step = 0; step < 60; step++) await history.stir();
      steps += 60;
      await history.rest();
      const where = `history ${number} of seed ${seed}`;
      if (peer.others > 0) {
        expect(peer.isPinned, `${where}: it is not on the network`).toBe(true);
        expect(peer.aliases, where).toEqual(['mail', 'post']);
        // Its owner goes for good, and can.
        while (peer.others > 0) peer.leave();
        await history.rest();
      }
      if (peer.networkId !== undefined && !peer.wasEmpty)
        expect(peer.isPinned, `${where}: it pins the network`).toBe(false);
    }
    process.stdout.write(`  simulated steps of a follower: ${steps}, seed ${seed}\n`);
  }, 120_000);
});
