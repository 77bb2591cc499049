import {
  type Address4,
  type Dhcp4Action,
  type Dhcp4Config,
  type Dhcp4Input,
  type Dhcp4State,
  type Ignored4,
  type Ipv4,
  initialDhcp4,
  type Lease4,
  parseIpv4,
  parseMac,
  stepDhcp4,
  toHex,
  unpackLease4,
  wakeDhcp4,
} from '@berth/dhcp';
import { kernelErrors } from '@berth/kernel';
import type { Netns } from '@berth/kernel/netns';
import { Network, type NetworkEvent, NetworkWatch } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import { ClasslessRoutes } from './classless-routes.ts';
import { ClockWatch } from './clock-watch.ts';
import { type Dhcp4Events, Dhcp4Executor } from './dhcp4-executor.ts';
import { Dhcp4Port } from './dhcp4-port.ts';
import { type ExternalLink, wireMac } from './external-link.ts';
import { Ipv4Interface } from './ipv4-interface.ts';
import type { LeaseStore } from './lease-store.ts';
import { MachineRunner } from './machine-runner.ts';

export interface Dhcp4Options {
  readonly clock: Clock;
  readonly namespace: Netns;
  readonly link: ExternalLink;
  readonly hostName: string;
  /** Without one the server goes by the MAC. */
  readonly clientId: Uint8Array | undefined;
  readonly backoffMaxMs: number;
  readonly releaseOnStop: boolean;
  readonly store: LeaseStore | undefined;
}

/** A DHCPv4 client on one interface. Runs from its construction until it is disposed of. */
export class Dhcp4Client implements Disposable {
  readonly #options: Dhcp4Options;
  readonly #events: Dhcp4Events;
  readonly #resources = new DisposableStack();
  readonly #network: Network;
  readonly #addresses: Ipv4Interface;
  readonly #executor: Dhcp4Executor;
  readonly #runner: MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action>;
  readonly #owner: string;
  #carrier = true;
  #malformed = 0;

  /** Throws where the link, or the right to open packet sockets on it, is missing. */
  constructor(options: Dhcp4Options, events: Dhcp4Events) {
    this.#options = options;
    this.#events = events;
    this.#owner = ownerOf(options);
    try {
      const { namespace, link, clock, store } = options;
      this.#network = this.#resources.use(Network.open(namespace));
      this.#addresses = new Ipv4Interface(this.#network, link.index);
      this.#executor = new Dhcp4Executor({
        clock,
        link,
        addresses: this.#addresses,
        routes: new ClasslessRoutes(this.#network, link.index),
        port: this.#resources.use(this.#openPort()),
        store,
        owner: this.#owner,
        events,
      });
      this.#runner = this.#resources.use(this.#machine());
      this.#resources.use(new ClockWatch(clock, () => this.#input({ kind: 'doubt' })));
      this.#resources.use(
        NetworkWatch.open(
          { namespace, watched: ['links', 'addresses'] },
          (event) => this.#onNetworkEvent(event),
          (error) => events.failed(error),
        ),
      );
      this.#input({ kind: 'start', remembered: this.#remembered() });
    } catch (error) {
      this.#resources.dispose();
      throw error;
    }
  }

  /** When the lease ends, on the clock that never jumps; nothing while there is none. `Infinity`: never. */
  get leaseEndsAtMs(): number | undefined {
    return this.#lease()?.expiresAtMs;
  }

  /** How many packets did not count, and why. */
  get ignored(): Readonly<Record<Ignored4 | 'malformed', number>> {
    return { ...this.#runner.state.ignored, malformed: this.#malformed };
  }

  /** Gives the lease back, if that is wanted, and takes the address off. */
  [Symbol.dispose](): void {
    if (this.#resources.disposed) return;
    // Told from inside one of our own calls: first what is under way comes to its end.
    if (this.#runner.running) {
      queueMicrotask(() => this[Symbol.dispose]());
      return;
    }
    this.#input({ kind: 'stop' });
    this.#resources.dispose();
  }

  #openPort(): Dhcp4Port {
    const { namespace, link } = this.#options;
    return new Dhcp4Port(namespace, link, {
      received: (message, sourceMac) => this.#input({ kind: 'received', message, sourceMac }),
      heardArp: (packet) => this.#input({ kind: 'heard-arp', packet }),
      refused: () => {
        this.#malformed += 1;
      },
      failed: (error) => this.#events.failed(error),
    });
  }

  #machine(): MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action> {
    const { clock, link, hostName, clientId, backoffMaxMs, releaseOnStop } = this.#options;
    const fallback = permanentAddresses(this.#addresses);
    const config: Dhcp4Config = {
      mac: wireMac(link),
      hostName,
      clientId,
      backoffMaxMs,
      releaseOnStop,
      fallback,
    };
    return new MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action>(
      {
        initial: initialDhcp4(config),
        tick: { kind: 'tick' },
        step: (state, input, moment) => stepDhcp4(state, input, moment, config),
        wake: wakeDhcp4,
      },
      clock,
      {
        perform: (action) => {
          const answer = this.#executor.perform(action);
          if (answer !== undefined) this.#runner.input(answer);
        },
        settled: (state) => this.#executor.watch(addressesOf(state)),
      },
    );
  }

  #input(input: Dhcp4Input): void {
    this.#runner.input(input);
  }

  #lease(): Lease4 | undefined {
    const { state } = this.#runner;
    return 'lease' in state ? state.lease : undefined;
  }

  #onNetworkEvent(event: NetworkEvent): void {
    const { link } = this.#options;
    if (event.kind === 'link' && event.value.index === link.index) {
      if (event.change === 'gone' || event.value.mac !== link.mac) this.#events.failed(linkLost(link));
      else this.#onCarrier(event.value.carrier);
    } else if (event.kind === 'address' && event.change === 'gone') {
      if (event.value.link === link.index && event.by !== this.#network.portId) this.#repair();
    } else if (event.kind === 'resync') {
      const present = event.snapshot.links.find(({ index }) => index === link.index);
      if (present?.mac !== link.mac) this.#events.failed(linkLost(link));
      else if (event.reason === 'overrun') this.#repair();
    }
  }

  /** While the cable was out we may have come to another network. */
  #onCarrier(carrier: boolean): void {
    const returned = carrier && !this.#carrier;
    this.#carrier = carrier;
    if (returned) this.#input({ kind: 'doubt' });
  }

  /** Somebody took addresses away: ours comes back. */
  #repair(): void {
    const lease = this.#lease();
    if (lease !== undefined && !this.#addresses.has(lease)) this.#executor.repair(lease);
  }

  #remembered(): Lease4 | undefined {
    const { clock, store } = this.#options;
    const stored = store?.load();
    if (stored === undefined || stored.owner !== this.#owner) return undefined;
    const ageMs = clock.now() - stored.askedAtMs;
    const sender = parseMac(stored.sender);
    // A clock that was set back since then cannot say how old the lease is.
    if (sender === undefined || ageMs < 0) return undefined;
    return unpackLease4(stored.message, sender, clock.monotonic() - ageMs);
  }
}

const ownerOf = ({ link, hostName, clientId }: Dhcp4Options): string =>
  [link.mac, hostName, clientId === undefined ? '' : toHex(clientId)].join(' ');

const linkLost = ({ name }: ExternalLink): Error =>
  kernelErrors.error('KERNEL_NOT_FOUND', `interface ${name} is gone, or is another one now`);

/** What the interface had before us. A lease of an earlier run has a time limit, which tells it from that. */
function permanentAddresses(addresses: Ipv4Interface): readonly Address4[] {
  return addresses
    .list()
    .filter(({ permanent }) => permanent)
    .flatMap(({ address, prefixLength }) => {
      const own = parseIpv4(address);
      return own === undefined ? [] : [{ address: own, prefixLength }];
    });
}

/** The addresses about which ARP matters to us. */
function addressesOf(state: Dhcp4State): readonly Ipv4[] {
  if (state.phase === 'probing' || state.phase === 'applying') {
    return [state.candidate.address, ...(state.held === undefined ? [] : [state.held.address])];
  }
  return 'lease' in state ? [state.lease.address] : [];
}
