import type { EngineEvent } from './events.ts';

/** Why what is known of the engine may be out of date. */
export type ResyncReason =
  /** The subscription begins; its first batch says so and nothing else does. */
  | 'start'
  /** The stream was interrupted. */
  | 'gap'
  /** More happened than the subscriber took. */
  | 'overflow';

/**
 * What happened since the last batch. With `resync`, list first: the stream was open before this batch was handed out, so
 * whatever the list does not show yet comes as an event, here or in a later batch. Events may tell what the list showed. A
 * list that fails has to be tried again by whoever needs it: nobody asks for it twice.
 */
export interface EventBatch {
  readonly resync: ResyncReason | undefined;
  readonly events: readonly EngineEvent[];
}

export interface SubscribeOptions {
  /** Whoever subscribes ends before the feed does, and does not wait for it. */
  readonly signal: AbortSignal;
  /** Only these events; the others are not even kept. */
  readonly accepts?: (event: EngineEvent) => boolean;
  /** So many events may wait; beyond that they are dropped for one resync. Default: 1024. */
  readonly capacity?: number;
}

const CAPACITY = 1024;

/** One subscriber's end of the feed, for one `for await`. Leaving the loop, or disposing of it, ends it. */
export class Subscription implements AsyncIterableIterator<EventBatch, undefined>, Disposable {
  readonly #accepts: (event: EngineEvent) => boolean;
  readonly #capacity: number;
  readonly #onEnd: () => void;
  #resync: ResyncReason | undefined;
  #events: EngineEvent[] = [];
  #wake: (() => void) | undefined;
  #begun = false;
  #ended = false;

  constructor(
    { signal, accepts = () => true, capacity = CAPACITY }: SubscribeOptions,
    onEnd: (ended: Subscription) => void,
  ) {
    this.#accepts = accepts;
    this.#capacity = capacity;
    const onAbort = (): void => this.end();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#onEnd = () => {
      signal.removeEventListener('abort', onAbort);
      onEnd(this);
    };
    if (signal.aborted) this.end();
  }

  /** For the feed: something happened. */
  offer(event: EngineEvent): void {
    if (!this.#accepts(event)) return;
    if (this.#events.length >= this.#capacity) this.resync('overflow');
    else {
      this.#events.push(event);
      this.#wakeUp();
    }
  }

  /** For the feed: a list that is taken from now on makes up for everything before. */
  resync(reason: Exclude<ResyncReason, 'start'>): void {
    this.#resync = this.#begun ? reason : 'start';
    this.#events = [];
    this.#wakeUp();
  }

  /** Nothing comes any more. */
  end(): void {
    this.#ended = true;
    this.#events = [];
    this.#onEnd();
    this.#wakeUp();
  }

  async next(): Promise<IteratorResult<EventBatch, undefined>> {
    while (!this.#ended && this.#resync === undefined && this.#events.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#ended) return { done: true, value: undefined };
    const batch = { resync: this.#resync, events: this.#events };
    this.#begun = true;
    this.#resync = undefined;
    this.#events = [];
    return { done: false, value: batch };
  }

  return(): Promise<IteratorResult<EventBatch, undefined>> {
    this[Symbol.dispose]();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.dispose](): void {
    this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
