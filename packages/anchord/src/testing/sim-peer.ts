/** A network that another stack owns, in memory: who is on it, and what Docker tells of it. */
import { engineErrors } from '@berth/engine';
import type { FollowDoor } from '../lifecycle/follow/look.ts';
import { SimHost } from './sim-host.ts';

export class SimPeer {
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

  /** Happens right before each look at the network. */
  onLook: () => void = () => undefined;
  /** How many others were there when the follower was attached. */
  othersWhenJoined: number | undefined;

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

  /** The follower, as somebody attached it. */
  join(...aliases: readonly string[]): void {
    this.follower = { id: this.networkId ?? '', alive: true };
    this.aliases = aliases;
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
            this.onLook();
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
            this.othersWhenJoined = this.others;
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
