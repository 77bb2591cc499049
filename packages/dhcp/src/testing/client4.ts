import {
  type ArpPacket,
  arpAnnouncement,
  decodeArpFrame,
  decodeUdpFrame,
  encodeArpFrame,
  encodeUdpFrame,
} from '../frames/index.ts';
import {
  type Dhcp4Action,
  type Dhcp4Config,
  type Dhcp4Input,
  type Dhcp4State,
  decodeDhcp4,
  encodeDhcp4,
  initialDhcp4,
  type Lease4,
  type Report4,
  stepDhcp4,
  wakeDhcp4,
} from '../v4/index.ts';
import { broadcastIpv4, broadcastMac, type Ipv4, type Mac, noIpv4, parseMac } from '../wire/index.ts';
import type { Random } from './random.ts';
import type { SimulatedServer4 } from './server4.ts';
import type { Link, Timeline } from './timeline.ts';

export const clientMac = parseMac('02:42:0a:63:00:32') as Mac;
const serverMac = parseMac('02:00:00:00:00:01') as Mac;
const squatterMac = parseMac('02:00:00:00:00:99') as Mac;

export const config4: Dhcp4Config = {
  mac: clientMac,
  hostName: 'shop',
  clientId: Uint8Array.of(0, 115, 104, 111, 112),
  backoffMaxMs: 300_000,
  releaseOnStop: true,
  fallback: [{ address: '10.99.0.9' as Ipv4, prefixLength: 24 }],
};

const towardsServer = {
  sourceMac: clientMac,
  destinationMac: broadcastMac,
  source: noIpv4,
  destination: broadcastIpv4,
  sourcePort: 68,
  destinationPort: 67,
};
const towardsClient = {
  sourceMac: serverMac,
  destinationMac: clientMac,
  destination: broadcastIpv4,
  sourcePort: 67,
  destinationPort: 68,
};

export interface Observed4 {
  readonly from: Dhcp4State;
  readonly input: Dhcp4Input;
  readonly to: Dhcp4State;
  readonly actions: readonly Dhcp4Action[];
  readonly atMs: number;
}

/** A host with one interface, driven by the client under test, on a link with servers and squatters. */
export class SimulatedHost4 {
  state: Dhcp4State;
  readonly config: Dhcp4Config;
  /** What the interface owns, and when the kernel would drop it by itself. */
  readonly addresses = new Map<string, number>();
  readonly reports: Report4[] = [];
  readonly sentAtMs: number[] = [];
  remembered: Lease4 | undefined;
  servers: readonly SimulatedServer4[] = [];
  /** Addresses that somebody else on the link answers for. */
  readonly squatted = new Set<Ipv4>();
  refusesAddresses = false;
  /** Is there a moment without any address since the first one? */
  wasEverBare = false;
  onStep: (observed: Observed4) => void = () => undefined;
  readonly #timeline: Timeline;
  readonly #link: Link;
  readonly #random: Random;
  #wakeAtMs: number | undefined;

  constructor(timeline: Timeline, link: Link, random: Random, config: Dhcp4Config = config4) {
    this.config = config;
    this.state = initialDhcp4(config);
    this.#timeline = timeline;
    this.#link = link;
    this.#random = random;
    for (const { address, prefixLength } of config.fallback) {
      this.addresses.set(`${address}/${prefixLength}`, Number.POSITIVE_INFINITY);
    }
  }

  start(): void {
    this.input({ kind: 'start', remembered: this.remembered });
  }

  /** The process is killed, and its container with it; a new one starts with what was written down. */
  crash(): void {
    this.addresses.clear();
    for (const { address, prefixLength } of this.config.fallback) {
      this.addresses.set(`${address}/${prefixLength}`, Number.POSITIVE_INFINITY);
    }
    this.state = initialDhcp4(this.config);
    this.#wakeAtMs = undefined;
    this.start();
  }

  input(input: Dhcp4Input): void {
    const moment = { nowMs: this.#timeline.nowMs, random: this.#random.u32() };
    const from = this.state;
    const { state, actions } = stepDhcp4(from, input, moment, this.config);
    this.state = state;
    for (const action of actions) this.#perform(action);
    this.onStep({ from, input, to: state, actions, atMs: moment.nowMs });
    this.#arm();
  }

  /** One timer for the whole client, as its driver has it. */
  #arm(): void {
    const wakeAtMs = wakeDhcp4(this.state);
    if (wakeAtMs === this.#wakeAtMs) return;
    this.#wakeAtMs = wakeAtMs;
    if (wakeAtMs === undefined) return;
    this.#timeline.after(wakeAtMs - this.#timeline.nowMs, () => {
      if (this.#wakeAtMs !== wakeAtMs) return;
      this.#wakeAtMs = undefined;
      this.input({ kind: 'tick' });
    });
  }

  #perform(action: Dhcp4Action): void {
    switch (action.kind) {
      case 'broadcast':
      case 'unicast':
      case 'unicast-frame':
        this.#send(encodeDhcp4(action.message), action.kind === 'broadcast' ? undefined : action.to);
        break;
      case 'arp':
        this.#arp(action.packet);
        break;
      case 'add-address': {
        const { address, prefixLength } = action.address;
        if (!this.refusesAddresses) this.addresses.set(`${address}/${prefixLength}`, action.expiresAtMs);
        const kind = this.refusesAddresses ? 'apply-failed' : 'applied';
        this.#timeline.after(1, () => this.input({ kind, address }));
        break;
      }
      case 'extend-address':
      case 'restore-address': {
        const { address, prefixLength } = action.address;
        const expiresAtMs = action.kind === 'extend-address' ? action.expiresAtMs : Number.POSITIVE_INFINITY;
        this.addresses.set(`${address}/${prefixLength}`, expiresAtMs);
        break;
      }
      case 'drop-address':
        this.addresses.delete(`${action.address.address}/${action.address.prefixLength}`);
        break;
      case 'drop-other-addresses':
        for (const address of this.addresses.keys()) {
          if (address !== `${action.keep.address}/${action.keep.prefixLength}`)
            this.addresses.delete(address);
        }
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
      case 'route':
        break;
      default:
        action satisfies never;
    }
    if (this.addresses.size === 0 && this.state.phase !== 'stopped') this.wasEverBare = true;
  }

  #send(payload: Uint8Array, to: Ipv4 | undefined): void {
    this.sentAtMs.push(this.#timeline.nowMs);
    const frame = encodeUdpFrame({ ...towardsServer, payload });
    for (const server of this.servers) {
      if (to !== undefined && server.id !== to) continue;
      this.#link.carry(frame, (arrived) => {
        const read = decodeUdpFrame(arrived, 'verify');
        if (!read.ok) return;
        for (const answer of server.answer(read.value.payload)) {
          const reply = encodeUdpFrame({ ...towardsClient, source: server.id, payload: answer });
          this.#link.carry(reply, (bytes) => this.#receive(bytes));
        }
      });
    }
  }

  #receive(frame: Uint8Array): void {
    const read = decodeUdpFrame(frame, 'verify');
    if (!read.ok) return;
    const message = decodeDhcp4(read.value.payload);
    if (message.ok) this.input({ kind: 'received', message: message.value, sourceMac: read.value.sourceMac });
  }

  #arp(packet: ArpPacket): void {
    this.#link.carry(encodeArpFrame(packet), () => {
      if (this.squatted.has(packet.targetIp)) this.hears(arpAnnouncement(squatterMac, packet.targetIp));
    });
  }

  hears(packet: ArpPacket): void {
    this.#link.carry(encodeArpFrame(packet), (arrived) => {
      const read = decodeArpFrame(arrived);
      if (read.ok) this.input({ kind: 'heard-arp', packet: read.value });
    });
  }
}
