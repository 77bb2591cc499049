/**
 * A day in the life of a network-anchor, by the clock of a simulation: the program's own wiring from Docker's events to the
 * kernel's map, and its DHCP client, among containers that are re-created, an engine that fails, events that are late, twice
 * or lost, programs that flush rulesets, a kernel that refuses, servers that forget, and ends of every kind.
 */
import { kernelErrors } from '@berth/kernel';
import { type Random, Scope, seededRandom, VirtualClock } from '@berth/service';
import { Dataplane } from '../../dataplane/index.ts';
import type { ObservedContainer } from '../../discovery/container.ts';
import { sharedNetworkPicker } from '../../discovery/index.ts';
import { followBackends, keepLooking } from '../../modes/follow-backends.ts';
import { testParts } from '../program.ts';
import { fine, SimulatedDocker } from './docker.ts';
import { SimulatedLease } from './lease.ts';
import { SimulatedRulesets } from './rulesets.ts';
import { Truth } from './truth.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const pollMs = minuteMs;
/** A refused attempt is repeated after ten seconds at the latest, a lost event is made up for by the poll. */
const recoveryMs = pollMs + 15 * secondMs;
/** The longest pause between two attempts at a lease, the longest wait for an answer, and a probe. */
const leaseMs = (60 + 64 + 10) * secondMs;
const mostContainers = 30;

const shape = {
  externalInterface: 'lan0',
  guard: { v4: 'local-address', v6: 'local-address' },
  forwardFilter: { kind: 'external' },
  hairpin: 'by-interface',
} as const;
const discriminator = [{ key: 'com.docker.compose.project', value: 'mail' }];

/** What happens, and how often compared with the rest. */
const incidents = {
  recreate: 30,
  start: 6,
  stop: 6,
  'start a rival': 3,
  'a stream breaks': 5,
  'docker is slow': 4,
  'docker fails': 4,
  'events are lost': 4,
  'the engine restarts': 1,
  'somebody flushes the rulesets': 3,
  'somebody else writes rulesets': 5,
  'the kernel refuses': 2,
  'the anchor ends in order': 1,
  'the anchor is killed': 1,
  'dhcp packets are lost': 3,
  'the dhcp server forgets': 1,
  'the dhcp server renumbers': 1,
  'the dhcp server is away': 1,
} as const;
type Incident = keyof typeof incidents;

export interface DayReport {
  readonly happened: Readonly<Partial<Record<Incident, number>>>;
  readonly writes: number;
  readonly addresses: number;
}

export class Day {
  readonly #endMs: number;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #docker: SimulatedDocker;
  readonly #rulesets = new SimulatedRulesets();
  readonly #truth = new Truth();
  readonly #lease: SimulatedLease;
  readonly #alive = new Map<string, { one: ObservedContainer; ports: readonly number[] }>();
  readonly #happened: Partial<Record<Incident, number>> = {};
  /** Reasons for another address of ours. */
  #reasonsToMove = 1;
  #verify: (() => void) | undefined;
  #scope: Scope | undefined;
  #failure: unknown;
  /** When something was in the way last. */
  #troubledAtMs = 0;

  constructor(seed: number, hours = 24) {
    this.#endMs = hours * hourMs;
    this.#random = seededRandom(seed);
    this.#docker = new SimulatedDocker(this.#clock, this.#random);
    this.#lease = new SimulatedLease(this.#clock, seed);
    this.#rulesets.onTransaction = () => {
      this.#note(() => this.#truth.see(this.#rulesets.ledTo()));
      this.#clock.after(this.#random() * 20, () => this.#verify?.());
    };
  }

  async live(): Promise<DayReport> {
    for (let index = 0; index < 10; index++) this.#start(`service-${index}`, 1_000 + index);
    this.#startAnchor();
    for (let quietAt = 30 * minuteMs; this.#clock.monotonic() < this.#endMs; quietAt += 30 * minuteMs) {
      while (this.#clock.monotonic() < quietAt) {
        await this.#pass(this.#random() * 50 * secondMs);
        await this.#cause(this.#draw());
      }
      await this.#calm();
    }
    this.#truth.forget();
    await this.#endAnchor();
    return { happened: this.#happened, writes: this.#rulesets.writes, addresses: this.#lease.history.length };
  }

  /** Everything works again; soon all is as it should be, and then nothing is written any more. */
  async #calm(): Promise<void> {
    this.#docker.weather = fine;
    this.#rulesets.refusal = undefined;
    this.#lease.loss = 0;
    this.#lease.server.mood = 'well';
    await this.#pass(leaseMs);
    const when = `after ${Math.round(this.#clock.monotonic() / minuteMs)} minutes`;
    this.#truth.expectExact(this.#rulesets.ledTo(), when);
    const { phase, addresses, history } = this.#lease;
    if (!/^(bound|renewing)$/.test(phase)) throw new Error(`${when}: no lease, but ${phase}`);
    if (addresses.length !== 1) throw new Error(`${when}: ${addresses.length} addresses`);
    if (history.length > this.#reasonsToMove)
      throw new Error(`${when}: the address moved without a reason: ${history.join(', ')}`);
    const { writes } = this.#rulesets;
    await this.#pass(5 * minuteMs);
    if (this.#rulesets.writes !== writes)
      throw new Error(`${when}: something was written, and nothing had changed`);
  }

  async #pass(ms: number): Promise<void> {
    if (this.#isTroubled()) this.#troubledAtMs = this.#clock.monotonic();
    await this.#clock.advance(ms);
    if (this.#isTroubled()) this.#troubledAtMs = this.#clock.monotonic();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #note(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #draw(): Incident {
    const tickets = (Object.keys(incidents) as Incident[]).flatMap((incident) =>
      Array<Incident>(incidents[incident]).fill(incident),
    );
    return tickets[Math.floor(this.#random() * tickets.length)] ?? 'recreate';
  }

  async #cause(incident: Incident): Promise<void> {
    this.#happened[incident] = (this.#happened[incident] ?? 0) + 1;
    const forAWhile = (undo: () => void): void => void this.#clock.after(this.#random() * 3 * minuteMs, undo);
    switch (incident) {
      case 'recreate':
        await this.#recreate();
        break;
      case 'start':
        this.#start(`extra-${this.#clock.monotonic()}`, 2_000 + Math.floor(this.#random() * 50));
        break;
      case 'stop':
        this.#end(this.#anybody());
        break;
      case 'start a rival':
        this.#start(
          `rival-${this.#clock.monotonic()}`,
          ...(this.#alive.get(this.#anybody() ?? '')?.ports ?? []),
        );
        break;
      case 'a stream breaks':
        this.#docker.breakStreams();
        break;
      case 'docker is slow':
        this.#docker.weather = { ...fine, latencyMs: 4_000 };
        forAWhile(() => this.#clear());
        break;
      case 'docker fails':
        this.#docker.weather = { ...fine, failing: 0.5 };
        forAWhile(() => this.#clear());
        break;
      case 'events are lost':
        this.#docker.weather = { latencyMs: 200, failing: 0, loss: 0.4, duplication: 0.3 };
        forAWhile(() => this.#clear());
        break;
      case 'the engine restarts':
        await this.#restartEngine();
        break;
      case 'somebody flushes the rulesets':
        this.#truth.forget();
        this.#rulesets.flush();
        break;
      case 'somebody else writes rulesets':
        this.#rulesets.disturb();
        break;
      case 'the kernel refuses':
        this.#rulesets.refusal = kernelErrors.error('KERNEL_BUSY', 'not now');
        forAWhile(() => {
          this.#rulesets.refusal = undefined;
        });
        break;
      case 'the anchor ends in order':
        this.#rulesets.refusal = undefined;
        this.#truth.forget();
        await this.#endAnchor();
        await this.#pass(this.#random() * 10 * secondMs);
        this.#startAnchor();
        break;
      case 'the anchor is killed':
        await this.#killAnchor();
        break;
      case 'dhcp packets are lost':
        this.#lease.loss = this.#random();
        forAWhile(() => {
          this.#lease.loss = 0;
        });
        break;
      case 'the dhcp server forgets':
        this.#lease.server.restart();
        this.#reasonsToMove += 1;
        break;
      case 'the dhcp server renumbers':
        this.#lease.server.renumber(50 + Math.floor(this.#random() * 100));
        this.#reasonsToMove += 1;
        break;
      case 'the dhcp server is away':
        this.#lease.server.mood = 'silent';
        break;
      default:
        incident satisfies never;
    }
  }

  #clear(): void {
    this.#docker.weather = fine;
  }

  async #recreate(): Promise<void> {
    const name = this.#anybody();
    const ports = name === undefined ? [] : (this.#alive.get(name)?.ports ?? []);
    if (name === undefined) return;
    this.#end(name);
    await this.#pass(this.#random() * 500);
    this.#start(name, ...ports);
    // Where nothing has been in the way for a while, nobody has to wait for a poll.
    if (this.#clock.monotonic() - this.#troubledAtMs < recoveryMs) return;
    await this.#pass(secondMs);
    this.#truth.expectExact(this.#rulesets.ledTo(), `a second after ${name} was re-created`);
  }

  #isTroubled(): boolean {
    return this.#docker.weather !== fine || this.#rulesets.refusal !== undefined || !this.#docker.heard;
  }

  async #restartEngine(): Promise<void> {
    const before = [...this.#alive.entries()];
    for (const [name] of before) this.#end(name);
    this.#docker.weather = { ...fine, failing: 1 };
    this.#docker.breakStreams();
    await this.#pass(this.#random() * 20 * secondMs);
    this.#clear();
    for (const [name, { ports }] of before) this.#start(name, ...ports);
  }

  #anybody(): string | undefined {
    const names = [...this.#alive.keys()];
    return names[Math.floor(this.#random() * names.length)];
  }

  #start(name: string, ...ports: readonly number[]): void {
    if (ports.length === 0 || this.#alive.has(name) || this.#alive.size >= mostContainers) return;
    const one = this.#docker.start(name, ...ports);
    this.#alive.set(name, { one, ports });
    this.#truth.started(one, ...ports);
  }

  #end(name: string | undefined): void {
    const found = this.#alive.get(name ?? '');
    if (found === undefined || name === undefined) return;
    this.#alive.delete(name);
    this.#truth.ended(found.one);
    this.#docker.end(found.one);
  }

  #startAnchor(): void {
    const { recording: _, registry: __, ...parts } = testParts();
    const scope = new Scope('anchor', (error) => {
      this.#failure ??= error;
    });
    this.#scope = scope;
    const dataplane = new Dataplane(this.#rulesets, shape);
    const program = {
      ...parts,
      clock: this.#clock,
      scope,
      stop: (code: number) => {
        this.#failure ??= new Error(`the anchor ended itself with ${code}`);
      },
    };
    this.#truth.forget();
    const refusal = this.#rulesets.refusal;
    // A kernel that refuses the very first tables ends the process: another matter.
    this.#rulesets.refusal = undefined;
    dataplane.install();
    this.#rulesets.refusal = refusal;
    const picker = sharedNetworkPicker({
      ownNetworks: ['transit'],
      externalNetwork: undefined,
      pin: undefined,
    });
    const following = followBackends(
      program,
      { scope: { discriminator, bySelector: false }, project: 'mail' },
      {
        engine: {
          containers: this.#docker,
          events: this.#docker.events,
          system: this.#docker.system,
          address: 'simulated',
        },
        dataplane,
        conntrack: { delete: async () => 0 },
        ownAddresses: () => [],
        onReconciled: () => undefined,
        onBackends: () => undefined,
        picker,
        random: this.#random,
      },
    );
    scope.defer(() => dataplane.remove(), 'removing the tables');
    keepLooking(program, pollMs, following, () => undefined);
    this.#verify = () => following.reconciler.verify();
    scope.spawn('reconciler', (signal) => following.reconciler.run(signal));
  }

  async #endAnchor(): Promise<void> {
    this.#verify = undefined;
    const closing = this.#scope?.close();
    await this.#pass(10 * secondMs);
    await closing;
    this.#lease.restart();
  }

  /** Nothing is tidied up: the tables stay as they are until the next one comes. */
  async #killAnchor(): Promise<void> {
    this.#rulesets.refusal = kernelErrors.error('KERNEL_CLOSED', 'this process is dead');
    const before = this.#rulesets.ledTo();
    await this.#endAnchor().catch(() => undefined);
    if (this.#rulesets.ledTo().size !== before.size)
      throw new Error('a dead process has changed the rulesets');
    this.#rulesets.refusal = undefined;
    this.#failure = undefined;
    this.#startAnchor();
  }
}
