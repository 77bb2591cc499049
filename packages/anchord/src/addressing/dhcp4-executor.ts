import {
  type Address4,
  type ClasslessRoute,
  type Dhcp4Action,
  type Dhcp4Input,
  type Ipv4,
  type Lease4,
  packLease4,
  type Report4,
} from '@berth/dhcp';
import type { Clock } from '@berth/service';
import type { ClasslessRoutes } from './classless-routes.ts';
import type { Dhcp4Port } from './dhcp4-port.ts';
import { type ExternalLink, wireMac } from './external-link.ts';
import type { Ipv4Interface } from './ipv4-interface.ts';
import type { LeaseStore } from './lease-store.ts';

export type Trouble4 = 'send' | 'release' | 'add-address' | 'drop-address' | 'routes' | 'store';

/** What a client tells its owner. None of these may throw. */
export interface Dhcp4Events {
  report(report: Report4): void;
  /** After every lease and renewal: the default gateway that the server names, if it names one. */
  router(gateway: Ipv4 | undefined, mtu: number | undefined): void;
  /** Routes of option 121 that lead into networks of other interfaces, and were not set. */
  routesRefused(routes: readonly ClasslessRoute[]): void;
  /** Something small went wrong; the client goes on by itself. */
  trouble(what: Trouble4, error: unknown): void;
  /** The client cannot go on: its link is gone, or its sockets are. Close it and start another one. */
  failed(error: unknown): void;
}

interface Parts {
  readonly clock: Clock;
  readonly link: ExternalLink;
  readonly addresses: Pick<Ipv4Interface, 'put' | 'keepOnly' | 'remove'>;
  readonly routes: Pick<ClasslessRoutes, 'set'>;
  readonly port: Omit<Dhcp4Port, typeof Symbol.dispose>;
  readonly store: LeaseStore | undefined;
  /** Whose leases those in the store are. */
  readonly owner: string;
  readonly events: Dhcp4Events;
}

/** The kernel drops an address by itself, should we hang: a little later than we would. */
const kernelGraceSeconds = 10;

/** Does what the machine says. Never throws: what fails is told, and the machine finds its way. */
export class Dhcp4Executor {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers what the machine has to hear about it. */
  perform(action: Dhcp4Action): Dhcp4Input | undefined {
    const { events, port, addresses } = this.#parts;
    switch (action.kind) {
      case 'broadcast':
        this.#try('send', () => port.broadcast(action.message));
        return undefined;
      case 'unicast':
        this.#try('send', () => port.unicast(action.message, action.from, action.to, action.toMac));
        return undefined;
      case 'unicast-frame':
        this.#try('release', () => port.unicastFrame(action.message, action.from, action.to, action.toMac));
        return undefined;
      case 'arp':
        this.#try('send', () => port.arp(action.packet));
        return undefined;
      case 'add-address':
        return this.#add(action.address, action.expiresAtMs);
      case 'extend-address':
      case 'restore-address': {
        const seconds = action.kind === 'extend-address' ? this.#secondsUntil(action.expiresAtMs) : forEver;
        this.#try('add-address', () => addresses.put(action.address, seconds));
        return undefined;
      }
      case 'drop-other-addresses':
        this.#try('drop-address', () =>
          addresses.keepOnly(action.keep, this.#secondsUntil(action.expiresAtMs)),
        );
        return undefined;
      case 'drop-address':
        this.#drop(action.address);
        return undefined;
      case 'route':
        this.#route(action.router, action.routes, action.mtu);
        return undefined;
      case 'remember':
        this.#try('store', () => this.#remember(action.lease));
        return undefined;
      case 'forget':
        this.#try('store', () => this.#parts.store?.clear());
        return undefined;
      case 'report':
        events.report(action.report);
        return undefined;
      default:
        return action satisfies never;
    }
  }

  /** Listens for others who use these addresses. */
  watch(addresses: readonly Ipv4[]): void {
    this.#try('send', () => this.#parts.port.watch(addresses));
  }

  /** Puts an address back that somebody else took away. */
  repair(lease: Lease4): void {
    this.#try('add-address', () => this.#parts.addresses.put(lease, this.#secondsUntil(lease.expiresAtMs)));
  }

  #add(address: Address4, expiresAtMs: number): Dhcp4Input {
    const { addresses, port } = this.#parts;
    const added = this.#try('add-address', () => addresses.put(address, this.#secondsUntil(expiresAtMs)));
    if (!added) return { kind: 'apply-failed', address: address.address };
    this.#try('send', () => port.own(address.address));
    return { kind: 'applied', address: address.address };
  }

  #drop(address: Address4): void {
    const { addresses, port, routes } = this.#parts;
    this.#try('drop-address', () => port.own(undefined));
    this.#try('routes', () => routes.set([], undefined));
    this.#try('drop-address', () => addresses.remove(address));
  }

  #route(router: Ipv4 | undefined, wanted: readonly ClasslessRoute[], mtu: number | undefined): void {
    const { events, routes } = this.#parts;
    this.#try('routes', () => {
      const refused = routes.set(wanted, mtu);
      if (refused.length > 0) events.routesRefused(refused);
    });
    events.router(router, mtu);
  }

  #remember(lease: Lease4): void {
    const { clock, link, owner, store } = this.#parts;
    store?.save({
      owner,
      askedAtMs: clock.now() - clock.monotonic() + lease.askedAtMs,
      sender: lease.serverMac,
      message: packLease4(lease, wireMac(link)),
    });
  }

  #secondsUntil(atMs: number): number {
    return Math.ceil((atMs - this.#parts.clock.monotonic()) / 1000) + kernelGraceSeconds;
  }

  #try(what: Trouble4, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#parts.events.trouble(what, error);
      return false;
    }
  }
}

const forEver = Number.POSITIVE_INFINITY;
