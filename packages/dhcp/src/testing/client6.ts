import {
  type Dhcp6Action,
  type Dhcp6Config,
  type Dhcp6Input,
  type Dhcp6State,
  decodeDhcp6,
  encodeDhcp6,
  initialDhcp6,
  type Lease6,
  type Report6,
  stepDhcp6,
  wakeDhcp6,
} from '../v6/index.ts';
import type { Ipv6 } from '../wire/index.ts';
import type { Random } from './random.ts';
import type { SimulatedServer6 } from './server6.ts';
import type { Link, Timeline } from './timeline.ts';

export const config6: Dhcp6Config = {
  clientId: Uint8Array.of(0, 4, ...Array.from({ length: 16 }, (_, index) => index)),
  iaid: 0x01020304,
  hostName: 'shop',
  backoffMaxMs: 300_000,
  releaseOnStop: true,
};

export interface Observed6 {
  readonly from: Dhcp6State;
  readonly input: Dhcp6Input;
  readonly to: Dhcp6State;
  readonly actions: readonly Dhcp6Action[];
  readonly atMs: number;
}

/** How long the kernel looks for another owner of a new address. */
const detectionMs = 1000;

/** A host with one interface, driven by the client under test, on a link with servers and squatters. */
export class SimulatedHost6 {
  state: Dhcp6State;
  readonly config: Dhcp6Config;
  /** What the interface owns, and when the kernel would drop it by itself. */
  readonly addresses = new Map<Ipv6, number>();
  readonly reports: Report6[] = [];
  readonly sentAtMs: number[] = [];
  remembered: Lease6 | undefined;
  servers: readonly SimulatedServer6[] = [];
  readonly squatted = new Set<Ipv6>();
  refusesAddresses = false;
  onStep: (observed: Observed6) => void = () => undefined;
  readonly #timeline: Timeline;
  readonly #link: Link;
  readonly #random: Random;
  #wakeAtMs: number | undefined;

  constructor(timeline: Timeline, link: Link, random: Random, config: Dhcp6Config = config6) {
    this.config = config;
    this.state = initialDhcp6(config);
    this.#timeline = timeline;
    this.#link = link;
    this.#random = random;
  }

  start(): void {
    this.input({ kind: 'start', remembered: this.remembered });
  }

  /** The process is killed, and its container with it; a new one starts with what was written down. */
  crash(): void {
    this.addresses.clear();
    this.state = initialDhcp6(this.config);
    this.#wakeAtMs = undefined;
    this.start();
  }

  input(input: Dhcp6Input): void {
    const moment = { nowMs: this.#timeline.nowMs, random: this.#random.u32() };
    const from = this.state;
    const { state, actions } = stepDhcp6(from, input, moment, this.config);
    this.state = state;
    for (const action of actions) this.#perform(action);
    this.onStep({ from, input, to: state, actions, atMs: moment.nowMs });
    this.#arm();
  }

  #arm(): void {
    const wakeAtMs = wakeDhcp6(this.state);
    if (wakeAtMs === this.#wakeAtMs) return;
    this.#wakeAtMs = wakeAtMs;
    if (wakeAtMs === undefined) return;
    this.#timeline.after(wakeAtMs - this.#timeline.nowMs, () => {
      if (this.#wakeAtMs !== wakeAtMs) return;
      this.#wakeAtMs = undefined;
      this.input({ kind: 'tick' });
    });
  }

  #perform(action: Dhcp6Action): void {
    switch (action.kind) {
      case 'send':
        this.#send(encodeDhcp6(action.message));
        break;
      case 'put-address':
        this.#put(action.address, action.validUntilMs);
        break;
      case 'drop-address':
        this.addresses.delete(action.address);
        break;
      case 'remember':
        this.remembered = action.lease;
        break;
      case 'forget':
        this.remembered = undefined;
        break;
      case 'report':
        this.reports.push(action.report);
        break;
      case 'announce':
        break;
      default:
        action satisfies never;
    }
  }

  #put(address: Ipv6, validUntilMs: number): void {
    const known = this.addresses.has(address);
    if (this.refusesAddresses && !known) {
      this.#timeline.after(1, () => this.input({ kind: 'apply-failed', address }));
      return;
    }
    this.addresses.set(address, validUntilMs);
    if (known) return;
    this.#timeline.after(detectionMs, () => {
      if (!this.addresses.has(address)) return;
      this.input({ kind: this.squatted.has(address) ? 'duplicate' : 'usable', address });
    });
  }

  #send(payload: Uint8Array): void {
    this.sentAtMs.push(this.#timeline.nowMs);
    for (const server of this.servers) {
      this.#link.carry(payload, (arrived) => {
        for (const answer of server.answer(arrived))
          this.#link.carry(answer, (bytes) => this.#receive(bytes));
      });
    }
  }

  #receive(packet: Uint8Array): void {
    const message = decodeDhcp6(packet);
    if (message.ok) this.input({ kind: 'received', message: message.value });
  }
}
