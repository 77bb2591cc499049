import {
  type Dhcp6Action,
  type Dhcp6Config,
  type Dhcp6Input,
  type Dhcp6State,
  type Ignored6,
  type Ipv6,
  initialDhcp6,
  type Lease6,
  type LeasedAddress6,
  packLease6,
  type Report6,
  stepDhcp6,
  toHex,
  unpackLease6,
  wakeDhcp6,
} from '@berth/dhcp';
import { kernelErrors } from '@berth/kernel';
import type { Netns } from '@berth/kernel/netns';
import { type InterfaceAddress, Network, type NetworkEvent, NetworkWatch } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import { ClockWatch } from './clock-watch.ts';
import { Dhcp6Port } from './dhcp6-port.ts';
import type { ExternalLink } from './external-link.ts';
import type { Dhcp6Identity } from './identity.ts';
import { fateOf, Ipv6Interface } from './ipv6-interface.ts';
import type { LeaseStore } from './lease-store.ts';
import { MachineRunner } from './machine-runner.ts';
import { RouterSolicitor } from './router-solicitor.ts';
import { Routers } from './routers.ts';

export interface Dhcp6Options extends Dhcp6Identity {
  readonly clock: Clock;
  readonly namespace: Netns;
  readonly link: ExternalLink;
  readonly hostName: string;
  readonly backoffMaxMs: number;
  readonly releaseOnStop: boolean;
  readonly store: LeaseStore | undefined;
}

export type Trouble6 = 'send' | 'add-address' | 'drop-address' | 'store';

/** With IPv6 switched on the kernel needs a second or two for a link-local address. */
const linkLocalPatienceMs = 10_000;

/** What a client tells its owner. None of these may throw. */
export interface Dhcp6Events {
  report(report: Report6): void;
  /** There is no link-local address to speak from, and has been none for a while; with one the client begins. */
  mute(): void;
  /** Something small went wrong; the client goes on by itself. */
  trouble(what: Trouble6, error: unknown): void;
  /** The client cannot go on: its link is gone, or its sockets are. Close it and start another one. */
  failed(error: unknown): void;
}

/** The kernel drops an address by itself, should we hang: a little later than we would. */
const kernelGraceSeconds = 10;
/** The machine waits two seconds for the server at its end; nobody waits for the machine much longer. */
const longestEndMs = 3000;

/** A DHCPv6 client on one interface. Begins when the interface has a link-local address, and runs until it is closed. */
export class Dhcp6Client implements AsyncDisposable {
  readonly #options: Dhcp6Options;
  readonly #events: Dhcp6Events;
  readonly #resources = new DisposableStack();
  readonly #network: Network;
  readonly #addresses: Ipv6Interface;
  readonly #port: Dhcp6Port;
  readonly #runner: MachineRunner<Dhcp6State, Dhcp6Input, Dhcp6Action>;
  readonly #routers = new Routers();
  /** Addresses of which the kernel has not said yet whether they are free. */
  readonly #undecided = new Set<Ipv6>();
  #ended: (() => void) | undefined;
  #linkLocal: Ipv6 | undefined;
  readonly #solicitor: RouterSolicitor;
  #carrier = true;
  #malformed = 0;

  /** Throws where the link, or the right to open packet sockets on it, is missing. */
  constructor(options: Dhcp6Options, events: Dhcp6Events) {
    this.#options = options;
    this.#events = events;
    const { namespace, link, clock } = options;
    try {
      this.#network = this.#resources.use(Network.open(namespace));
      this.#addresses = new Ipv6Interface(this.#network, link.index);
      this.#runner = this.#resources.use(this.#machine());
      this.#port = this.#resources.use(this.#openPort());
      this.#solicitor = this.#resources.use(
        new RouterSolicitor(clock, (from) => this.#try('send', () => this.#port.solicitRouters(from))),
      );
      this.#resources.use(new ClockWatch(clock, () => this.#runner.input({ kind: 'doubt' })));
      this.#resources.use(
        NetworkWatch.open(
          { namespace, watched: ['links', 'addresses'] },
          (event) => this.#onNetworkEvent(event),
          (error) => events.failed(error),
        ),
      );
      const patience = clock.after(linkLocalPatienceMs, () => {
        if (this.#linkLocal === undefined) events.mute();
      });
      this.#resources.defer(() => patience.cancel());
    } catch (error) {
      this.#resources.dispose();
      throw error;
    }
  }

  /** When the first address runs out, on the clock that never jumps; nothing while there is none. */
  get leaseEndsAtMs(): number | undefined {
    const addresses = this.#lease()?.addresses ?? [];
    return addresses.length === 0
      ? undefined
      : Math.min(...addresses.map(({ validUntilMs }) => validUntilMs));
  }

  /** How many packets did not count, and why. */
  get ignored(): Readonly<Record<Ignored6 | 'malformed', number>> {
    return { ...this.#runner.state.ignored, malformed: this.#malformed };
  }

  /** Takes the addresses off at once and gives them back, if that is wanted; waits for the server, but not long. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#resources.disposed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = resolve;
    const deadline = this.#options.clock.after(longestEndMs, resolve);
    this.#runner.input({ kind: 'stop' });
    await promise;
    deadline.cancel();
    this.#resources.dispose();
  }

  #machine(): MachineRunner<Dhcp6State, Dhcp6Input, Dhcp6Action> {
    const { clock, clientId, iaid, hostName, backoffMaxMs, releaseOnStop } = this.#options;
    const config: Dhcp6Config = { clientId, iaid, hostName, backoffMaxMs, releaseOnStop };
    return new MachineRunner<Dhcp6State, Dhcp6Input, Dhcp6Action>(
      {
        initial: initialDhcp6(config),
        tick: { kind: 'tick' },
        step: (state, input, moment) => stepDhcp6(state, input, moment, config),
        wake: wakeDhcp6,
      },
      clock,
      {
        perform: (action) => this.#perform(action),
        settled: ({ phase }) => {
          if (phase === 'stopped') this.#ended?.();
        },
      },
    );
  }

  #openPort(): Dhcp6Port {
    const { namespace, link, clock } = this.#options;
    return new Dhcp6Port(namespace, link, {
      received: (message) => this.#runner.input({ kind: 'received', message }),
      heardRouter: (source, advertisement) => {
        this.#solicitor.heard();
        const managed = this.#routers.heard(source, advertisement, clock.monotonic());
        if (managed !== undefined) this.#runner.input({ kind: 'routers-say', managed });
      },
      refused: () => {
        this.#malformed += 1;
      },
      failed: (error) => this.#events.failed(error),
    });
  }

  #lease(): Lease6 | undefined {
    const { state } = this.#runner;
    if ('lease' in state) return state.lease;
    return 'held' in state ? state.held : undefined;
  }

  #perform(action: Dhcp6Action): void {
    switch (action.kind) {
      case 'send':
        this.#try('send', () => this.#port.send(action.message));
        break;
      case 'put-address':
        this.#put(action);
        break;
      case 'drop-address':
        this.#undecided.delete(action.address);
        this.#try('drop-address', () => this.#addresses.drop(action.address));
        break;
      case 'announce':
        this.#try('send', () => this.#port.announce(action.address));
        break;
      case 'remember':
        this.#try('store', () => this.#remember(action.lease));
        break;
      case 'forget':
        this.#try('store', () => this.#options.store?.clear());
        break;
      case 'report':
        this.#events.report(action.report);
        break;
      default:
        action satisfies never;
    }
  }

  #put(leased: LeasedAddress6): void {
    const { address } = leased;
    const added = this.#try('add-address', () => {
      if (this.#addresses.find(address) === undefined) this.#undecided.add(address);
      const until = (atMs: number): number =>
        Math.max(0, Math.ceil((atMs - this.#options.clock.monotonic()) / 1000));
      this.#addresses.put(
        address,
        until(leased.preferredUntilMs),
        until(leased.validUntilMs) + kernelGraceSeconds,
      );
    });
    if (added) return;
    this.#undecided.delete(address);
    this.#runner.input({ kind: 'apply-failed', address });
  }

  #onNetworkEvent(event: NetworkEvent): void {
    const { link } = this.#options;
    if (event.kind === 'link' && event.value.index === link.index) {
      if (event.change === 'gone' || event.value.mac !== link.mac) this.#events.failed(linkLost(link));
      else this.#onCarrier(event.value.carrier);
    } else if (event.kind === 'address' && event.value.link === link.index) {
      if (event.change === 'set') this.#onAddress(event.value);
      else if (event.by !== this.#network.portId) this.#onAddressGone(event.value);
    } else if (event.kind === 'resync') {
      const present = event.snapshot.links.find(({ index }) => index === link.index);
      if (present?.mac !== link.mac) this.#events.failed(linkLost(link));
      else for (const address of this.#addresses.list()) this.#onAddress(address);
    }
  }

  /** While the cable was out we may have come to another network. */
  #onCarrier(carrier: boolean): void {
    const returned = carrier && !this.#carrier;
    this.#carrier = carrier;
    if (returned) this.#runner.input({ kind: 'doubt' });
  }

  #onAddress(present: InterfaceAddress): void {
    if (this.#linkLocal === undefined) this.#begin();
    const address = String(present.address) as Ipv6;
    const fate = fateOf(present);
    if (fate === 'undecided' || !this.#undecided.delete(address)) return;
    this.#runner.input({ kind: fate, address });
  }

  /** The kernel takes a leased address away itself when it finds another owner; what others take away comes back. */
  #onAddressGone(gone: InterfaceAddress): void {
    const address = String(gone.address) as Ipv6;
    const leased = this.#lease()?.addresses.find((each) => each.address === address);
    if (this.#undecided.delete(address) || gone.dadFailed) this.#runner.input({ kind: 'duplicate', address });
    else if (leased !== undefined) this.#put(leased);
  }

  /** As soon as there is a link-local address to speak from. */
  #begin(): void {
    const linkLocal = this.#addresses.linkLocal();
    if (linkLocal === undefined) return;
    if (!this.#try('send', () => this.#port.open(linkLocal))) return;
    this.#linkLocal = linkLocal;
    this.#solicitor.begin(linkLocal);
    this.#runner.input({ kind: 'start', remembered: this.#remembered() });
  }

  #remember(lease: Lease6): void {
    const { clock, clientId, iaid, link, store } = this.#options;
    store?.save({
      owner: toHex(clientId),
      askedAtMs: clock.now() - clock.monotonic() + lease.askedAtMs,
      sender: link.mac,
      message: packLease6(lease, iaid),
    });
  }

  #remembered(): Lease6 | undefined {
    const { clock, clientId, iaid, store } = this.#options;
    const stored = store?.load();
    if (stored === undefined || stored.owner !== toHex(clientId)) return undefined;
    const ageMs = clock.now() - stored.askedAtMs;
    // A clock that was set back since then cannot say how old the lease is.
    return ageMs < 0 ? undefined : unpackLease6(stored.message, iaid, clock.monotonic() - ageMs);
  }

  #try(what: Trouble6, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#events.trouble(what, error);
      return false;
    }
  }
}

const linkLost = ({ name }: ExternalLink): Error =>
  kernelErrors.error('KERNEL_NOT_FOUND', `interface ${name} is gone, or is another one now`);
