import { randomBytes } from 'node:crypto';
import type { Moment } from '@berth/dhcp';
import type { Cancellable, Clock } from '@berth/service';

/** A pure client machine: what it makes of an input, and when it wants to be called by itself. */
export interface Machine<State, Input, Action> {
  readonly initial: State;
  readonly tick: Input;
  step(
    state: State,
    input: Input,
    moment: Moment,
  ): { readonly state: State; readonly actions: readonly Action[] };
  wake(state: State): number | undefined;
}

/** Where a machine acts. Neither of these may throw. */
export interface World<State, Action> {
  perform(action: Action): void;
  /** Nothing more is to be done for now. */
  settled(state: State): void;
}

/**
 * Drives a machine: feeds it inputs one at a time, has its actions performed in order, and wakes it with one timer. An
 * input that comes while an action is performed waits for its turn.
 */
export class MachineRunner<State, Input, Action> implements Disposable {
  state: State;
  readonly #machine: Machine<State, Input, Action>;
  readonly #clock: Clock;
  readonly #world: World<State, Action>;
  readonly #random: () => number;
  readonly #queue: Input[] = [];
  #running = false;
  #closed = false;
  #timer: Cancellable | undefined;

  constructor(
    machine: Machine<State, Input, Action>,
    clock: Clock,
    world: World<State, Action>,
    random: () => number = () => randomBytes(4).readUInt32BE(),
  ) {
    this.#random = random;
    this.state = machine.initial;
    this.#machine = machine;
    this.#clock = clock;
    this.#world = world;
  }

  /** An input is being worked on at this moment. */
  get running(): boolean {
    return this.#running;
  }

  input(input: Input): void {
    if (this.#closed) return;
    this.#queue.push(input);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    this.#running = false;
    this.#world.settled(this.state);
    this.#arm();
  }

  /** Nothing happens any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#queue.splice(0);
    this.#timer?.cancel();
  }

  #step(input: Input): void {
    const moment = { nowMs: this.#clock.monotonic(), random: this.#random() };
    const { state, actions } = this.#machine.step(this.state, input, moment);
    this.state = state;
    for (const action of actions) this.#world.perform(action);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const wakeAtMs = this.#machine.wake(this.state);
    if (wakeAtMs === undefined || this.#closed) return;
    this.#timer = this.#clock.after(wakeAtMs - this.#clock.monotonic(), () => this.input(this.#machine.tick));
  }
}
