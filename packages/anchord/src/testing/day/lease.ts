/** The DHCP side of the simulated day: the client machine, its runner and its executor, on a LAN that loses packets. */
import {
  type Address4,
  type Dhcp4Action,
  type Dhcp4Config,
  type Dhcp4Input,
  type Dhcp4Message,
  type Dhcp4State,
  decodeDhcp4,
  encodeDhcp4,
  initialDhcp4,
  type Lease4,
  parseIpv4,
  parseMac,
  stepDhcp4,
  wakeDhcp4,
} from '@berth/dhcp';
import { Random, SimulatedServer4 } from '@berth/dhcp/testing';
import { parseMac as parseLinkMac } from '@berth/kernel/ip';
import type { Clock } from '@berth/service';
import { Dhcp4Executor } from '../../addressing/dhcp4-executor.ts';
import { MachineRunner } from '../../addressing/machine-runner.ts';

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a constant of the simulation can not be read');
  return value;
};
const serverMac = present(parseMac('02:00:00:00:00:01'));
const mac = present(parseMac('02:42:0a:63:00:32'));
const link = { index: 2, name: 'lan0', mac: parseLinkMac('02:42:0a:63:00:32') };
const fallback = { address: present(parseIpv4('10.99.0.9')), prefixLength: 24 };
const config: Dhcp4Config = {
  mac,
  hostName: 'mail',
  clientId: undefined,
  backoffMaxMs: 60_000,
  releaseOnStop: false,
  fallback: [fallback],
};

export class SimulatedLease {
  readonly server: SimulatedServer4;
  /** How likely a packet is lost. */
  loss = 0;
  /** Every leased address that came and was another one than the last, in order. */
  readonly history: string[] = [];
  #addresses = new Map<string, Address4>([[fallback.address, fallback]]);
  readonly #clock: Clock;
  readonly #random: Random;
  #runner: MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action>;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#random = new Random(seed);
    this.server = new SimulatedServer4(present(parseIpv4('10.99.0.1')), this.#random, () =>
      clock.monotonic(),
    );
    this.#runner = this.#start(undefined);
  }

  get addresses(): readonly string[] {
    return [...this.#addresses.keys()];
  }

  get phase(): Dhcp4State['phase'] {
    return this.#runner.state.phase;
  }

  /** The process dies; the next one finds what the last one wrote down. */
  restart(): void {
    const { state } = this.#runner;
    this.#runner[Symbol.dispose]();
    this.#runner = this.#start('lease' in state ? state.lease : undefined);
  }

  #start(remembered: Lease4 | undefined): MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action> {
    const send = (message: Dhcp4Message): void => this.#carry(message);
    const nothing = (): void => undefined;
    const executor = new Dhcp4Executor({
      clock: this.#clock,
      link,
      addresses: {
        put: (address) => this.#put(address),
        keepOnly: (keep) => {
          this.#addresses = new Map([[keep.address, keep]]);
        },
        remove: (address) => this.#remove(address),
      },
      routes: { set: () => [] },
      port: {
        broadcast: send,
        unicast: send,
        unicastFrame: send,
        arp: nothing,
        watch: nothing,
        own: nothing,
      },
      store: undefined,
      owner: 'simulation',
      events: {
        report: nothing,
        router: nothing,
        routesRefused: nothing,
        trouble: (what, error) => {
          throw new Error(`${what} failed`, { cause: error });
        },
        failed: (error) => {
          throw error;
        },
      },
    });
    const runner = new MachineRunner<Dhcp4State, Dhcp4Input, Dhcp4Action>(
      {
        initial: initialDhcp4(config),
        tick: { kind: 'tick' },
        step: (state, input, moment) => stepDhcp4(state, input, moment, config),
        wake: wakeDhcp4,
      },
      this.#clock,
      {
        perform: (action) => {
          const answer = executor.perform(action);
          if (answer !== undefined) runner.input(answer);
        },
        settled: () => undefined,
      },
      () => this.#random.u32(),
    );
    runner.input({ kind: 'start', remembered });
    return runner;
  }

  #put(address: Address4): void {
    const isLease = address.address !== fallback.address;
    if (isLease && this.history.at(-1) !== address.address) this.history.push(address.address);
    this.#addresses.set(address.address, address);
  }

  #remove({ address }: Address4): void {
    this.#addresses.delete(address);
    if (this.#addresses.size === 0) throw new Error(`${address} was taken off, and no address is left`);
  }

  #carry(message: Dhcp4Message): void {
    if (this.#lost()) return;
    this.#clock.after(this.#random.below(20), () => {
      for (const answer of this.server.answer(encodeDhcp4(message))) {
        if (!this.#lost()) this.#clock.after(this.#random.below(20), () => this.#receive(answer));
      }
    });
  }

  #lost(): boolean {
    return this.#random.chance(this.loss);
  }

  #receive(packet: Uint8Array): void {
    const read = decodeDhcp4(packet);
    if (read.ok) this.#runner.input({ kind: 'received', message: read.value, sourceMac: serverMac });
  }
}
