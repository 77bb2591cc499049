import type { EngineEvent, EventQuery, EventStream, Events, PastEventQuery } from '../events/index.ts';
import type { CallOptions } from '../http/index.ts';
import type { Ping } from '../system/index.ts';

let made = 0;

export function anEvent(action: string, at = 0, type = 'container'): EngineEvent {
  made += 1;
  return { type, action, id: 'web', attributes: {}, at, key: `${made} ${action}` };
}

/** One stream as the engine would send it, under the test's hand. */
export class ScriptedStream implements EventStream {
  readonly query: EventQuery;
  #waiting: EngineEvent[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly error: unknown } | undefined;
  disposed = false;

  constructor(query: EventQuery, signal: AbortSignal | undefined) {
    this.query = query;
    signal?.addEventListener('abort', () => this.break(signal.reason), { once: true });
  }

  send(...events: EngineEvent[]): void {
    this.#waiting.push(...events);
    this.#wake?.();
  }

  /** Ends, in good order without an error. */
  break(error?: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, void> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.disposed = true;
    this.break();
  }
}

/** Plays the engine's events and its clock. */
export class ScriptedEvents implements Events {
  readonly streams: ScriptedStream[] = [];
  readonly asked: PastEventQuery[] = [];
  /** What the engine tells of the past. */
  remembered: EngineEvent[] = [];
  engineTime: number | undefined = 1_000_000;
  /** Thrown by whatever is asked next, until it is taken away. */
  refusal: Error | undefined;

  /** The newest one. */
  get stream(): ScriptedStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no stream was opened');
    return stream;
  }

  open(query: EventQuery = {}, options: CallOptions = {}): Promise<EventStream> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    const stream = new ScriptedStream(query, options.signal);
    this.streams.push(stream);
    return Promise.resolve(stream);
  }

  past(query: PastEventQuery): Promise<EngineEvent[]> {
    this.asked.push(query);
    return this.refusal === undefined ? Promise.resolve(this.remembered) : Promise.reject(this.refusal);
  }

  ping(): Promise<Ping> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return Promise.resolve({ apiVersion: '1.41', engineTime: this.engineTime });
  }
}
