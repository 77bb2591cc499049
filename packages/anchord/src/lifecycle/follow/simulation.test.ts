/**
 * Random histories of a network and its owner's containers, with events that are lost, doubled or late, and calls that
 * fail: the follower always ends where it belongs, and never keeps the owner from removing its network.
 */
import { type EngineEvent, engineErrors } from '@berth/engine';
import { seededRandom } from '@berth/service';
import { describe, expect, it } from 'vitest';
import { testParts } from '../../testing/program.ts';
import { SimHost } from '../../testing/sim-host.ts';
import type { FollowDoor } from './look.ts';
import { ExternalRebinder } from './rebinder.ts';

const seed = Number(process.env['BERTH_SEED'] ?? '20261') || 20_261;

class Peer {
  readonly clock = new SimHost().clock;
  readonly random: () => number;
  readonly events: string[] = [];
  networkId: string | undefined;
  /** The owner's containers on it. */
  others = 0;
  /** Which network the follower remembers, and whether it has an endpoint there. */
  follower: { id: string; alive: boolean } | undefined;
  aliases: readonly string[] = [];
  #made = 0;
  troubled = false;
  /** The follower was attached after the longest wait, with nobody there: the contract wants it so. */
  wasEmpty = false;

  constructor(random: () => number) {
    this.random = random;
  }

  up(): void {
    if (this.networkId === undefined) {
      this.#made += 1;
      this.networkId = `n${this.#made}`.padEnd(64, '0');
      this.events.push('create');
    }
    this.others += 1;
    this.events.push('connect');
  }

  leave(): void {
    if (this.others === 0) return;
    this.others -= 1;
    this.events.push('disconnect');
  }

  get isPinned(): boolean {
    return this.follower?.alive === true && this.follower.id === this.networkId;
  }

  /** As Docker does it: not while somebody is on it. */
  remove(): void {
    if (this.networkId === undefined || this.others > 0 || this.isPinned) return;
    this.networkId = undefined;
    if (this.follower !== undefined) this.follower.alive = false;
    this.events.push('destroy');
  }

  door(): FollowDoor {
    const id = 'c'.repeat(64);
    const answer = <Result>(work: () => Result): Promise<Result> => {
      if (this.troubled && this.random() < 0.1)
        return Promise.reject(engineErrors.error('ENGINE_CONNECTION_LOST', 'no answer'));
      try {
        return Promise.resolve(work());
      } catch (error) {
        return Promise.reject(error);
      }
    };
    const current = (): string => {
      if (this.networkId === undefined) throw engineErrors.error('ENGINE_NOT_FOUND', 'no such network');
      return this.networkId;
    };
    const host = new SimHost();
    const mail = host.make('mail', { labels: {} });
    host.start(mail);
    const { containers } = host.door();
    return {
      containers: {
        list: (query) => answer(() => undefined).then(() => containers.list(query)),
        inspect: async () => {
          const details = await containers.inspect(mail.id);
          const attachment = {
            ...Object.values(details.attachments)[0],
            networkId: this.follower?.id,
            endpointId: this.follower?.alive === true ? 'e' : undefined,
            aliases: [...this.aliases],
          };
          const attachments = this.follower === undefined ? {} : { peer: attachment };
          return { ...details, id, attachments } as typeof details;
        },
        restart: () => Promise.resolve(),
      },
      networks: {
        inspect: () =>
          answer(() => {
            const member = { name: '', endpointId: '', mac: undefined, ipv4: undefined, ipv6: undefined };
            const ids = Array.from({ length: this.others }, (_, at) => `other${at}`.padEnd(64, '0'));
            const members = [...ids, ...(this.follower?.id === current() && this.follower.alive ? [id] : [])];
            return {
              id: current(),
              name: 'peer',
              driver: 'bridge',
              scope: 'local',
              internal: false,
              ipv6: false,
              labels: {},
              options: {},
              pools: [],
              members: Object.fromEntries(members.map((one) => [one, member])),
            };
          }),
        connect: (network, _container, endpoint) =>
          answer(() => {
            if (network !== current()) throw engineErrors.error('ENGINE_NOT_FOUND', 'no such network');
            if (this.random() < 0.1)
              throw engineErrors.error('ENGINE_ADDRESS_IN_USE', 'address already in use');
            this.follower = { id: network, alive: true };
            this.wasEmpty = this.others === 0;
            this.aliases = endpoint?.Aliases ?? [];
            this.events.push('connect');
          }),
        disconnect: () =>
          answer(() => {
            if (this.follower === undefined) throw engineErrors.error('ENGINE_NOT_ATTACHED', 'not connected');
            this.follower = undefined;
            this.aliases = [];
            if (this.networkId !== undefined) this.events.push('disconnect');
          }),
      },
    };
  }
}

const eventOf = (action: string): EngineEvent => ({
  type: 'network',
  action,
  id: '',
  attributes: { name: 'peer' },
  at: 0,
  key: '',
});

describe('a follower of a network that comes and goes', () => {
  it('ends on it when it is in use, and off it when it is not', async () => {
    const { signal } = new AbortController();
    let steps = 0;
    for (let history = 0; history < 300; history++) {
      const random = seededRandom(seed * 7_919 + history);
      const peer = new Peer(random);
      peer.up();
      peer.follower = { id: peer.networkId ?? '', alive: true };
      peer.aliases = ['mail', 'post'];
      peer.events.length = 0;
      const rebinder = new ExternalRebinder(
        { network: 'peer', target: 'mail', project: undefined, restart: false, backoffMs: 2_000 },
        {
          ...testParts(),
          clock: peer.clock,
          door: peer.door(),
          limits: { most: 1e9, firstPauseMs: 0, longestPauseMs: 0 },
        },
      );
      await rebinder.act('bootstrap', signal);
      const deliver = async (): Promise<void> => {
        for (let action = peer.events.shift(); action !== undefined; action = peer.events.shift()) {
          const fate = random();
          if (fate < 0.15) continue;
          await rebinder.hear(eventOf(action), signal);
          if (fate > 0.9) await rebinder.hear(eventOf(action), signal);
        }
      };
      for (let step = 0; step < 60; step++) {
        steps += 1;
        const kind = random();
        if (kind < 0.35) peer.up();
        else if (kind < 0.75) peer.leave();
        else peer.remove();
        peer.troubled = random() < 0.5;
        if (random() < 0.4) await deliver();
        if (random() < 0.2) await rebinder.act('poll', signal);
      }
      peer.troubled = false;
      await deliver();
      for (let round = 0; round < 4; round++) {
        await rebinder.act('poll', signal);
        await deliver();
      }
      const where = `history ${history} of seed ${seed}`;
      if (peer.others > 0) {
        expect(peer.isPinned, `${where}: it is not on the network`).toBe(true);
        expect(peer.aliases, where).toEqual(['mail', 'post']);
        // Its owner goes for good, and can.
        while (peer.others > 0) peer.leave();
        for (let round = 0; round < 2; round++) await rebinder.act('poll', signal);
      }
      if (peer.networkId !== undefined && !peer.wasEmpty)
        expect(peer.isPinned, `${where}: it pins the network`).toBe(false);
    }
    process.stdout.write(`  simulated steps of a follower: ${steps}, seed ${seed}\n`);
  }, 120_000);
});
