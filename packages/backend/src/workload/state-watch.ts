/** Waits for a container to come to a state: told by the engine's events, and looking itself now and then. */
import type { ContainerDetails, Containers } from '@berth/engine';
import { type Clock, sleep } from '@berth/service';
import { RecentlyUsed } from './recently-used.ts';

/** Which container something has just happened to, and what; undefined: events may have been missed, look at all. */
export type Happened = (containerId: string | undefined, action?: string) => void;

export interface ContainerEvents {
  /** Hears of every start, death and change of health of our containers, until the returned function is called. */
  listen(listener: Happened): () => void;
}

export interface WatchOptions {
  readonly containers: Pick<Containers, 'inspect'>;
  readonly events: ContainerEvents;
  readonly clock: Clock;
}

/** Without an event we look ourselves: one that was lost must not cost a lease. */
const lookEveryMs = 10_000;

/** What a container goes through on its way to running, and nobody has to look at. */
const births: readonly (string | undefined)[] = ['create', 'start'];

/** Containers between their start and the look at them; what is forgotten is looked at once more. */
const mostCalm = 10_000;

export class StateWatch {
  readonly #options: WatchOptions;
  /** Nothing but their start has happened to these since just before it. */
  readonly #calm = new RecentlyUsed<true>(mostCalm);

  constructor(options: WatchOptions) {
    this.#options = options;
    options.events.listen((id, action) => {
      if (id === undefined) this.#calm.clear();
      else if (!births.includes(action)) this.#calm.take(id);
    });
  }

  /** The container is about to be started: unless something is heard of it, there is no reason to look at it early. */
  beforeStart(id: string): void {
    this.#calm.set(id, true);
  }

  /** Looks at the container now and after everything that happens to it, until `judge` has an answer. */
  until<T>(id: string, judge: (details: ContainerDetails) => T | undefined, signal: AbortSignal): Promise<T> {
    return this.#watch(id, judge, signal, Number.POSITIVE_INFINITY);
  }

  /**
   * Looks at a container that is said to run when this long has passed, and before only when something else than its start has
   * happened to it, or may have. The answer to the last look must be one.
   */
  within<T>(
    id: string,
    judge: (details: ContainerDetails, last: boolean) => T | undefined,
    signal: AbortSignal,
    forMs: number,
  ): Promise<T> {
    return this.#watch(id, judge, signal, forMs);
  }

  async #watch<T>(
    id: string,
    judge: (details: ContainerDetails, last: boolean) => T | undefined,
    signal: AbortSignal,
    forMs: number,
  ): Promise<T> {
    const { containers, events, clock } = this.#options;
    const deadline = clock.monotonic() + forMs;
    const runs = forMs !== Number.POSITIVE_INFINITY;
    let happened = Promise.withResolvers<void>();
    const forget = events.listen((container, action) => {
      if (container === undefined) happened.resolve();
      else if (container === id && !(runs && births.includes(action))) happened.resolve();
    });
    const waitMs = (): number => Math.min(lookEveryMs, deadline - clock.monotonic());
    try {
      if (runs && this.#calm.take(id)) await this.#wait(happened.promise, waitMs(), signal);
      for (;;) {
        signal.throwIfAborted();
        // Before the look: what happens while we look makes us look again.
        happened = Promise.withResolvers();
        const last = clock.monotonic() >= deadline;
        const answer = judge(await containers.inspect(id, { signal }), last);
        if (answer !== undefined) return answer;
        if (last) throw new Error(`container ${id} came to no state within ${forMs} ms`);
        await this.#wait(happened.promise, waitMs(), signal);
      }
    } finally {
      forget();
    }
  }

  async #wait(happened: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    try {
      await Promise.race([happened, sleep(this.#options.clock, ms, AbortSignal.any([signal, awake.signal]))]);
    } finally {
      awake.abort();
    }
  }
}
