/** Lease id → its actor. Nobody else holds an actor, so nobody can post into one that is going away. */
import { type ActorContext, inboxCapacity, LeaseActor } from './actor.ts';
import type { Message, Request } from './messages.ts';

/** What is known of a live actor without asking it. */
export interface ActorSnapshot {
  readonly lease_uuid: string;
  readonly sm_state: string;
  readonly inbox_depth: number;
  readonly inbox_cap: number;
}

export class LeaseRegistry {
  readonly #context: ActorContext;
  readonly #actors = new Map<string, LeaseActor>();

  constructor(context: ActorContext) {
    this.#context = context;
  }

  /**
   * Asks and waits until it is accepted or refused. When the caller gives up, an answer that exists by then still counts;
   * otherwise nobody acts for him any more.
   */
  request(uuid: string, ask: Pick<Request, 'prepare' | 'refusal'>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (answer: () => void) => {
        if (settled) return;
        settled = true;
        signal.removeEventListener('abort', giveUp);
        answer();
      };
      const giveUp = () => settle(() => reject(signal.reason));
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', giveUp);
      const request: Request = {
        ...ask,
        accepted: () => settle(resolve),
        failed: (error) => settle(() => reject(error)),
        abandoned: () => settled,
      };
      this.#actor(uuid)
        .post({ kind: 'request', request }, signal)
        .catch((error: unknown) => settle(() => reject(error)));
    });
  }

  /** Asks for the close and waits until the lease is gone; rejects when this attempt fails. */
  async close(uuid: string, ask: Pick<Request, 'prepare' | 'refusal'>, signal: AbortSignal): Promise<void> {
    let closed: Promise<void> = Promise.resolve();
    const prepare: Request['prepare'] = (lease, operationId) => {
      closed = this.#actor(uuid).whenClosed();
      // Whoever waits is told below; a close that fails before that must not count as unheard.
      closed.catch(() => undefined);
      return ask.prepare(lease, operationId);
    };
    await this.request(uuid, { ...ask, prepare }, signal);
    await abortable(closed, signal);
  }

  /** Posts if there is room now; the next comparison finds the same again. */
  tryPost(uuid: string, message: Message): boolean {
    return this.#actor(uuid).tryPost(message);
  }

  /** Posts and waits until it has been handled. */
  async handled(uuid: string, message: Message): Promise<void> {
    const done = Promise.withResolvers<void>();
    await this.#actor(uuid).post({ ...message, handled: done.resolve });
    await done.promise;
  }

  snapshot(): readonly ActorSnapshot[] {
    return [...this.#actors.values()].map((actor) => ({
      lease_uuid: actor.uuid,
      sm_state: this.#context.book.get(actor.uuid)?.status ?? 'none',
      inbox_depth: actor.depth,
      inbox_cap: inboxCapacity,
    }));
  }

  /** Depths of all inboxes, and for how long the slowest handler has been at it. */
  sample(): { readonly depths: readonly number[]; readonly stuckMs: number } {
    const now = this.#context.clock.monotonic();
    const actors = [...this.#actors.values()];
    const ages = actors.flatMap(({ busySinceMs }) => (busySinceMs === undefined ? [] : [now - busySinceMs]));
    return { depths: actors.map(({ depth }) => depth), stuckMs: Math.max(0, ...ages) };
  }

  /** Is any message being handled just now? */
  get busy(): boolean {
    return [...this.#actors.values()].some(({ busySinceMs }) => busySinceMs !== undefined);
  }

  #actor(uuid: string): LeaseActor {
    const known = this.#actors.get(uuid);
    if (known !== undefined) return known;
    const actor: LeaseActor = new LeaseActor(uuid, this.#context, () => {
      if (this.#actors.get(uuid) === actor) this.#actors.delete(uuid);
      actor.retire();
    });
    this.#actors.set(uuid, actor);
    this.#context.meter.actorCreated();
    return actor;
  }
}

/** Waits, but not longer than the caller does. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    if (signal.aborted) giveUp();
  });
}
