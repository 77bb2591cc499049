/** A Docker engine of the simulation: containers come and go, answers and events are late, twice, lost, or refused. */
import {
  type ContainerDetails,
  type ContainerQuery,
  type ContainerSummary,
  type EngineEvent,
  type EventQuery,
  type EventStream,
  type Events,
  engineErrors,
} from '@berth/engine';
import { type Clock, type Random, sleep } from '@berth/service';
import type { ObservedContainer } from '../../discovery/container.ts';
import { container, FakeDocker } from '../containers.ts';

export interface DockerWeather {
  /** The longest that a question, an answer or an event is on its way. */
  readonly latencyMs: number;
  /** How likely a call fails. */
  readonly failing: number;
  /** How likely an event is lost without the stream's breaking, as it happens to slow readers. */
  readonly loss: number;
  readonly duplication: number;
}

export const fine: DockerWeather = { latencyMs: 5, failing: 0, loss: 0, duplication: 0.05 };

/** What the engine remembers of its events. */
const REMEMBERED = 256;
const project = { 'com.docker.compose.project': 'mail' };

export class SimulatedDocker extends FakeDocker {
  weather: DockerWeather = fine;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #streams = new Set<SimulatedStream>();
  #past: EngineEvent[] = [];
  #made = 0;

  constructor(clock: Clock, random: Random) {
    super();
    this.#clock = clock;
    this.#random = random;
  }

  /** A container that exposes ports, at an address that nobody had before; hands it back. */
  start(name: string, ...ports: readonly number[]): ObservedContainer {
    const number = ++this.#made;
    const expose = ports.map((port) => `tcp/${port}`).join(',');
    const built = container(name).labelled(project).exposing(expose).createdAt(this.#clock.now());
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    const one = { ...built.on('transit', address), id: `${number}`.padStart(64, 'a') };
    this.run(one);
    this.#emit('create', one);
    this.#emit('start', one);
    return one;
  }

  /** It dies, and stays as a stopped one for a moment. */
  end(one: ObservedContainer): void {
    this.#emit('kill', one);
    this.run({ ...one, running: false, attachments: {} });
    this.#emit('die', one);
    this.all.delete(one.id);
    this.#emit('destroy', one);
  }

  /** Does anybody hear our events at this moment? */
  get heard(): boolean {
    return this.#streams.size > 0;
  }

  /** Connections end, streams among them. */
  breakStreams(): void {
    for (const stream of this.#streams) {
      stream.break(engineErrors.error('ENGINE_CONNECTION_LOST', 'the stream broke off'));
    }
  }

  override async list(query: ContainerQuery = {}): Promise<ContainerSummary[]> {
    await this.#travel();
    const answer = (await super.list(query)).filter(({ status }) => status === 'running');
    await this.#travel();
    return answer;
  }

  override async inspect(ref: string): Promise<ContainerDetails> {
    await this.#travel();
    const answer = await super.inspect(ref);
    await this.#travel();
    return answer;
  }

  readonly events: Events = {
    open: async ({ since }: EventQuery = {}, { signal } = {}): Promise<EventStream> => {
      await this.#travel();
      const stream = new SimulatedStream((ended) => this.#streams.delete(ended));
      signal?.addEventListener('abort', () => stream.break(signal.reason), { once: true });
      this.#streams.add(stream);
      for (const event of this.#since(since ?? this.#clock.now())) stream.send(event);
      return stream;
    },
    past: async ({ since }) => {
      await this.#travel();
      return this.#since(since);
    },
  };

  readonly system = {
    ping: async () => {
      await this.#travel();
      // To the second, as the header of an answer has it.
      return { apiVersion: '1.41', engineTime: Math.floor(this.#clock.now() / 1_000) * 1_000 };
    },
  };

  #since(at: number): EngineEvent[] {
    return this.#past.filter((event) => event.at >= at);
  }

  async #travel(): Promise<void> {
    await sleep(this.#clock, this.#random() * this.weather.latencyMs);
    if (this.#random() < this.weather.failing) {
      throw engineErrors.error('ENGINE_UNREACHABLE', 'the engine does not answer');
    }
  }

  #emit(action: string, { id, name, labels }: ObservedContainer): void {
    const at = this.#clock.now();
    const attributes = { ...labels, name };
    const event = { type: 'container', action, id, attributes, at, key: `${at} ${action} ${id}` };
    this.#past = [...this.#past, event].slice(-REMEMBERED);
    for (const stream of this.#streams) {
      if (this.#random() < this.weather.loss) continue;
      const copies = this.#random() < this.weather.duplication ? 2 : 1;
      stream.sendLater(
        this.#clock,
        this.#random() * this.weather.latencyMs,
        Array<EngineEvent>(copies).fill(event),
      );
    }
  }
}

/** In order, however late. */
class SimulatedStream implements EventStream {
  readonly #onEnd: (stream: SimulatedStream) => void;
  #waiting: EngineEvent[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly error: unknown } | undefined;
  #lastAtMs = 0;

  constructor(onEnd: (stream: SimulatedStream) => void) {
    this.#onEnd = onEnd;
  }

  send(...events: readonly EngineEvent[]): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(...events);
    this.#wake?.();
  }

  sendLater(clock: Clock, delayMs: number, events: readonly EngineEvent[]): void {
    this.#lastAtMs = Math.max(this.#lastAtMs, clock.monotonic() + delayMs);
    clock.after(this.#lastAtMs - clock.monotonic(), () => this.send(...events));
  }

  break(error: unknown): void {
    this.#end ??= { error };
    this.#onEnd(this);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, void> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) yield event;
      else if (this.#end !== undefined) throw this.#end.error;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  [Symbol.dispose](): void {
    this.break(engineErrors.error('ENGINE_CONNECTION_LOST', 'we closed the stream'));
  }
}
