import { type Clock, type Scope, sleep } from '@berth/service';
import { engineErrors } from '../errors.ts';
import type { Filters } from '../http/index.ts';
import type { System } from '../system/index.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { EngineEvent, EventStream, Events } from './events.ts';
import { type SubscribeOptions, Subscription } from './subscription.ts';

/** Who wants to know how the stream is: a log, a metric. None of them may throw. */
export interface FeedObserver {
  /** The stream stands, and everybody was told to list. */
  live?(): void;
  /** It is gone, or could not be had. */
  lost?(error: unknown, retryInMs: number): void;
}

export interface FeedOptions {
  readonly events: Events;
  readonly system: Pick<System, 'ping'>;
  readonly clock: Clock;
  /** What the engine need not even send. Must let pass what any subscriber wants. */
  readonly filters?: Filters;
  readonly backoff?: BackoffOptions;
  /** After so long without an event the stream has to prove that it is one. */
  readonly idleMs?: number;
  readonly random?: () => number;
  readonly observer?: FeedObserver;
}

/** The engine remembers its last 256 events. */
const REMEMBERED = 512;
/** The engine tells its time to the second, and an event takes a moment to come. */
const OVERLAP_MS = 2000;
/** A stream that lived so long was a success, and the next failure is the first one again. */
const STABLE_MS = 10_000;
const ANSWER_MS = 10_000;

/**
 * The one stream of events of this process: everybody who wants events hangs on it. It is opened once and read until it
 * really ends. Reading never waits for a subscriber, because the engine silently drops the events of a slow reader.
 */
export class EventFeed {
  readonly #options: FeedOptions;
  readonly #backoff: Backoff;
  readonly #idleMs: number;
  readonly #subscriptions = new Set<Subscription>();
  /** Keys of the last events, oldest first. */
  readonly #known = new Set<string>();
  /** The engine's time of the last thing that we know of it. */
  #lastAt: number | undefined;
  #received = 0;
  #live = false;
  #closed: boolean;

  constructor(scope: Scope, options: FeedOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? 60_000;
    this.#backoff = new Backoff(
      options.backoff ?? { firstMs: 250, maxMs: 10_000 },
      options.random ?? Math.random,
    );
    this.#closed = scope.closed;
    scope.spawn('event feed', (signal) => this.#run(signal).finally(() => this.#end()));
  }

  /** Whether the stream stands. */
  get live(): boolean {
    return this.#live;
  }

  /** How many events came, each counted once. */
  get received(): number {
    return this.#received;
  }

  /** The first batch asks for a list, as soon as the stream stands. Ends with its signal, or with the feed. */
  subscribe(options: SubscribeOptions): Subscription {
    const subscription = new Subscription(options, (ended) => this.#subscriptions.delete(ended));
    if (this.#closed) subscription.end();
    if (options.signal.aborted || this.#closed) return subscription;
    this.#subscriptions.add(subscription);
    if (this.#live) subscription.resync('gap');
    return subscription;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = this.#options.clock.monotonic();
      const error = await this.#follow(signal);
      this.#live = false;
      if (signal.aborted) return;
      if (this.#options.clock.monotonic() - began >= STABLE_MS) this.#backoff.reset();
      const retryInMs = this.#backoff.next();
      this.#options.observer?.lost?.(error, retryInMs);
      await sleep(this.#options.clock, retryInMs, signal);
    }
  }

  /** One stream from its opening to its end. Returns why it ended. */
  async #follow(signal: AbortSignal): Promise<unknown> {
    const connection = new AbortController();
    const onAbort = (): void => connection.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    let tasks: Promise<never>[] = [];
    try {
      using stream = await this.#open(connection.signal);
      tasks = [this.#read(stream), this.#watch(connection.signal)];
      return await Promise.race(tasks);
    } catch (error) {
      return error;
    } finally {
      connection.abort();
      await Promise.allSettled(tasks);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #open(signal: AbortSignal): Promise<EventStream> {
    const { events, system, filters, observer, clock } = this.#options;
    // The engine sends the head of its answer a moment before it really listens, so the first stream begins in the past,
    // too: by the engine's own clock, which need not be ours.
    const { engineTime } = await system.ping({ signal, timeoutMs: ANSWER_MS });
    const now = engineTime ?? clock.now();
    const since = (this.#lastAt ?? now) - OVERLAP_MS;
    const stream = await events.open({ since, filters }, { signal, timeoutMs: ANSWER_MS });
    this.#lastAt = now;
    this.#live = true;
    for (const subscription of this.#subscriptions) subscription.resync('gap');
    observer?.live?.();
    return stream;
  }

  async #read(stream: EventStream): Promise<never> {
    for await (const event of stream) this.#deliver(event);
    throw engineErrors.error('ENGINE_TRUNCATED', 'the engine ended its stream of events');
  }

  #deliver(event: EngineEvent): void {
    if (this.#known.has(event.key)) return;
    this.#known.add(event.key);
    for (const oldest of this.#known) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    this.#lastAt = event.at;
    this.#received += 1;
    for (const subscription of this.#subscriptions) subscription.offer(event);
  }

  /**
   * A stream without events looks like a dead one. After a while the engine is asked what happened lately: if it tells
   * something that the stream did not, the stream is dead.
   */
  async #watch(signal: AbortSignal): Promise<never> {
    for (let received = this.#received; ; received = this.#received) {
      await sleep(this.#options.clock, this.#idleMs, signal);
      if (this.#received === received) await this.#prove(signal);
    }
  }

  async #prove(signal: AbortSignal): Promise<void> {
    const { events, system, filters } = this.#options;
    const { engineTime: until } = await system.ping({ signal, timeoutMs: ANSWER_MS });
    const since = (this.#lastAt ?? 0) - OVERLAP_MS;
    if (until === undefined || until < since) return;
    const past = await events.past({ since, until, filters }, { signal, timeoutMs: ANSWER_MS });
    const missed = past.find((event) => !this.#known.has(event.key));
    if (missed !== undefined)
      throw engineErrors.error(
        'ENGINE_TRUNCATED',
        `the stream of events is silent, but the engine tells of "${missed.type} ${missed.action}"`,
      );
  }

  #end(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.end();
  }
}
