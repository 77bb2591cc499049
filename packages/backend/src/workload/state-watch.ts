/** Waits for a container to come to a state: told by the engine's events, and looking itself now and then. */
import type { ContainerDetails, Containers } from '@berth/engine';
import { type Clock, sleep } from '@berth/service';

/** Which container something has just happened to; undefined: events may have been missed, look at all. */
export type Happened = (containerId: string | undefined) => void;

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

export class StateWatch {
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /**
   * Looks at the container now and after everything that happens to it, until `judge` has an answer. With `forMs`, the last
   * look is then, and its answer must be one.
   */
  async until<T>(
    id: string,
    judge: (details: ContainerDetails, last: boolean) => T | undefined,
    signal: AbortSignal,
    forMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const { containers, events, clock } = this.#options;
    const deadline = clock.monotonic() + forMs;
    let happened = Promise.withResolvers<void>();
    const forget = events.listen((container) => {
      if (container === undefined || container === id) happened.resolve();
    });
    try {
      for (;;) {
        signal.throwIfAborted();
        // Before the look: what happens while we look makes us look again.
        happened = Promise.withResolvers();
        const last = clock.monotonic() >= deadline;
        const answer = judge(await containers.inspect(id, { signal }), last);
        if (answer !== undefined) return answer;
        if (last) throw new Error(`container ${id} came to no state within ${forMs} ms`);
        await this.#wait(happened.promise, Math.min(lookEveryMs, deadline - clock.monotonic()), signal);
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
