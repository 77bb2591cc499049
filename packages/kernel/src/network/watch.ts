import { NETLINK_ROUTE, NetlinkListener, type NetlinkMessage } from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { type InterfaceAddress, readAddress } from './interface-address.ts';
import { type Link, readLink } from './link.ts';
import { type Neighbour, readNeighbour } from './neighbour.ts';
import { Network } from './network.ts';
import * as numbers from './numbers.ts';
import { type Route, readStoredRoute } from './route.ts';
import { type Rule, readRule } from './rule.ts';

/** What can be watched, and the kernel's groups for it. */
const groups = {
  links: [1],
  addresses: [5, 9],
  routes: [7, 11],
  neighbours: [3],
  rules: [8, 19],
} as const;
export type Watched = keyof typeof groups;

/** Everything that is watched, at one moment; what is not watched is empty. */
export interface NetworkSnapshot {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly rules: readonly Rule[];
}

interface Change<Kind extends string, Value> {
  readonly kind: Kind;
  /** `set`: it is new or changed, and this is how it is now. `gone`: this is what it was. */
  readonly change: 'set' | 'gone';
  readonly value: Value;
  /** The port id of whoever asked for the change; 0: the kernel itself. The kernel says so for all but links. */
  readonly by: number;
}

export type NetworkEvent =
  | Change<'link', Link>
  | Change<'address', InterfaceAddress>
  | Change<'route', Route>
  | Change<'neighbour', Neighbour>
  | Change<'rule', Rule>
  /** The state afresh: first of all, and again whenever events were lost. What was known before counts no more. */
  | { readonly kind: 'resync'; readonly reason: 'start' | 'overrun'; readonly snapshot: NetworkSnapshot };

export interface NetworkWatchOptions {
  readonly namespace?: Netns;
  readonly watched: readonly Watched[];
  readonly receiveBufferBytes?: number;
}

/**
 * Hears of every change in a namespace within milliseconds. An event may tell of something that a snapshot shows already
 * (it happened between subscribing and reading), so apply events as "this is how it is now", never as differences.
 */
export class NetworkWatch implements Disposable {
  readonly #network: Network;
  readonly #listener: NetlinkListener;
  readonly #watched: ReadonlySet<Watched>;
  readonly #onEvent: (event: NetworkEvent) => void;

  /** `onEvent` gets the first snapshot before this returns. `onFailure`: the watch is over, for that reason. */
  static open(
    options: NetworkWatchOptions,
    onEvent: (event: NetworkEvent) => void,
    onFailure: (error: unknown) => void,
  ): NetworkWatch {
    const network = Network.open(options.namespace);
    let watch: NetworkWatch | undefined;
    try {
      watch = new NetworkWatch(network, options, onEvent, onFailure);
      watch.#resync('start');
      return watch;
    } catch (error) {
      (watch ?? network)[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(
    network: Network,
    { namespace, watched, receiveBufferBytes }: NetworkWatchOptions,
    onEvent: (event: NetworkEvent) => void,
    onFailure: (error: unknown) => void,
  ) {
    this.#network = network;
    this.#watched = new Set(watched);
    this.#onEvent = onEvent;
    this.#listener = NetlinkListener.open(
      {
        protocol: NETLINK_ROUTE,
        groups: watched.flatMap((what) => groups[what]),
        ...(namespace === undefined ? {} : { namespace }),
        ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
      },
      {
        event: (message) => {
          const event = readEvent(message);
          if (event !== undefined) onEvent(event);
        },
        overrun: () => this.#resync('overrun'),
        failed: (error) => {
          network[Symbol.dispose]();
          onFailure(error);
        },
      },
    );
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
    this.#network[Symbol.dispose]();
  }

  #resync(reason: 'start' | 'overrun'): void {
    const { links, addresses, routes, neighbours, rules } = this.#network;
    const read = <T>(what: Watched, list: () => T[]): T[] => (this.#watched.has(what) ? list() : []);
    const snapshot: NetworkSnapshot = {
      links: read('links', () => links.list()),
      addresses: read('addresses', () => addresses.list()),
      routes: read('routes', () => routes.list()),
      neighbours: read('neighbours', () => neighbours.list()),
      rules: read('rules', () => rules.list()),
    };
    this.#onEvent({ kind: 'resync', reason, snapshot });
  }
}

function readEvent(message: NetlinkMessage): NetworkEvent | undefined {
  switch (message.type) {
    case numbers.RTM_NEWLINK:
    case numbers.RTM_DELLINK:
      return change('link', message, numbers.RTM_NEWLINK, readLink(message));
    case numbers.RTM_NEWADDR:
    case numbers.RTM_DELADDR:
      return change('address', message, numbers.RTM_NEWADDR, readAddress(message));
    case numbers.RTM_NEWROUTE:
    case numbers.RTM_DELROUTE:
      return change('route', message, numbers.RTM_NEWROUTE, readStoredRoute(message));
    case numbers.RTM_NEWNEIGH:
    case numbers.RTM_DELNEIGH:
      return change('neighbour', message, numbers.RTM_NEWNEIGH, readNeighbour(message));
    case numbers.RTM_NEWRULE:
    case numbers.RTM_DELRULE:
      return change('rule', message, numbers.RTM_NEWRULE, readRule(message));
    default:
      return undefined;
  }
}

function change<Kind extends string, Value>(
  kind: Kind,
  message: NetlinkMessage,
  newType: number,
  value: Value | undefined,
): Change<Kind, Value> | undefined {
  if (value === undefined) return undefined;
  return { kind, change: message.type === newType ? 'set' : 'gone', value, by: message.portId };
}
