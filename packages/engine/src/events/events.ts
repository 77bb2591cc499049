import type { CallOptions, Filters } from '../http/index.ts';

/** One thing that happened, as the engine tells it. */
export interface EngineEvent {
  /** "container", "network", "image", "volume", "daemon"... */
  readonly type: string;
  /** "start", "die", "connect", "health_status: healthy", "exec_create: sh -c ..." */
  readonly action: string;
  /** The id of what it happened to. */
  readonly id: string;
  /** A container's name, image and labels; a network's name and the container concerned. */
  readonly attributes: Readonly<Record<string, string>>;
  /** By the engine's clock, in milliseconds since the epoch. */
  readonly at: number;
  /** The same for every delivery of one event, and different for any two. */
  readonly key: string;
}

export interface EventQuery {
  /** Milliseconds since the epoch by the engine's clock: also what happened since then, as far as it remembers. */
  readonly since?: number | undefined;
  readonly filters?: Filters | undefined;
}

export interface PastEventQuery extends EventQuery {
  readonly since: number;
  /** Not in the future. */
  readonly until: number;
}

/** Read it to its end, leave the loop, or dispose of it. */
export interface EventStream extends AsyncIterable<EngineEvent>, Disposable {}

export interface Events {
  /** Resolves when the engine has taken the subscription. No time limit once it stands. */
  open(query?: EventQuery, options?: CallOptions): Promise<EventStream>;
  /** What the engine remembers of a time that is over. */
  past(query: PastEventQuery, options?: CallOptions): Promise<EngineEvent[]>;
}
