/** Tells callers what became of their leases: stored first, then delivered, again and again until it is too old. */
import { Backoff, type Clock, isoTime, type Random, type Scope, sleep, withDeadline } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { cutError, type Owed } from '../lease/index.ts';
import { Slots } from '../slots.ts';
import { type CallbackStore, GroupCommit, type PendingCallback } from '../stores/index.ts';
import type { SendCallback, SendOptions } from './send.ts';

/** The pauses before each attempt of one delivery. */
const attemptDelaysMs = [0, 1000, 5000];
const attemptLimitMs = 10_000;

/** After a delivery that failed, the next one: a minute, and twice as long each time, up to a quarter of an hour. */
const firstPauseMs = 60_000;
const longestPauseMs = 900_000;

/** How many callers are being told at the same time. */
const parallel = 32;

export interface OutboxOptions extends SendOptions {
  readonly scope: Scope;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: CallbackStore;
  readonly send: SendCallback;
  readonly backendName: string;
  /** 0: kept for ever. */
  readonly maxAgeMs: number;
  readonly meter: {
    delivered(outcome: 'success' | 'failure'): void;
    storeFailed(): void;
  };
}

export class CallbackOutbox {
  readonly #options: OutboxOptions;
  readonly #commits: GroupCommit;
  readonly #slots = new Slots(parallel);
  /** Stored, but the debt in the lease's own record is not cleared yet. */
  readonly #stored = new Map<string, { readonly owed: Owed; readonly entry: PendingCallback }>();
  /** About to be in the store. */
  readonly #storing = new Set<string>();
  /** To be delivered: the newest of each lease. */
  readonly #pending = new Map<string, PendingCallback>();
  readonly #delivering = new Set<string>();
  /** Pauses between deliveries, to be cut short when there is something newer. */
  readonly #pauses = new Map<string, AbortController>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#commits = new GroupCommit(options.store.file);
  }

  /** How many leases have a callback that has not arrived. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Makes it durable. An older one of the same lease that has not arrived yet is replaced: the newest outcome counts. */
  async enqueue(lease: string, owed: Owed): Promise<void> {
    const entry = this.#entryOf(lease, owed);
    if (entry === undefined) return;
    const { store, meter } = this.#options;
    this.#storing.add(lease);
    try {
      await this.#commits.commit({ apply: () => store.put(entry) });
      this.#stored.set(lease, { owed, entry });
    } catch (error) {
      meter.storeFailed();
      throw error;
    } finally {
      this.#storing.delete(lease);
    }
  }

  /** Begins the delivery of what was enqueued; of something newer the delivery is somebody else's to begin. */
  deliver(lease: string, owed: Owed): void {
    const stored = this.#stored.get(lease);
    if (stored?.owed !== owed) return;
    this.#stored.delete(lease);
    this.#start(stored.entry);
  }

  /** Delivers what could not be stored: it is lost when the process ends before. */
  deliverUnstored(lease: string, owed: Owed): void {
    this.#stored.delete(lease);
    const entry = this.#entryOf(lease, owed);
    if (entry !== undefined) this.#start(entry);
  }

  /** Takes up what had not arrived when the process ended. Does not wait for any delivery. */
  replay(): void {
    const { store, log } = this.#options;
    this.expire();
    const { entries, unreadable } = store.list();
    for (const lease of unreadable)
      log.warn('stored callback cannot be read, skipped', { lease_uuid: lease });
    // What recovery has just handed over is on its way already, or has even arrived.
    const isKnown = (lease: string): boolean =>
      [this.#storing, this.#stored, this.#pending, this.#delivering].some((ones) => ones.has(lease));
    for (const { key, value } of entries) if (!isKnown(key)) this.#start(value);
  }

  /** Removes what is too old. */
  expire(): void {
    const { store, clock, maxAgeMs, log } = this.#options;
    if (maxAgeMs === 0) return;
    const count = store.deleteOlderThan(clock.now() - maxAgeMs);
    if (count > 0) log.warn('callbacks dropped, too old', { count });
  }

  #entryOf(lease: string, owed: Owed): PendingCallback | undefined {
    if (owed.callbackUrl === '') {
      this.#options.log.warn('no callback URL, nobody is told', { lease_uuid: lease, status: owed.status });
      return undefined;
    }
    return {
      lease_uuid: lease,
      callback_url: owed.callbackUrl,
      status: owed.status,
      backend: this.#options.backendName,
      ...(owed.error !== undefined && { error: cutError(owed.error) }),
      ...(owed.retained === true && { retained: true }),
      created_at: isoTime(owed.atMs),
    };
  }

  #start(entry: PendingCallback): void {
    const { lease_uuid: lease } = entry;
    this.#pending.set(lease, entry);
    this.#pauses.get(lease)?.abort();
    if (this.#delivering.has(lease)) return;
    this.#delivering.add(lease);
    this.#options.scope.spawn(`callback of ${lease}`, (signal) => this.#deliverAll(lease, signal));
  }

  /** One delivery after another, until nothing is left of this lease. */
  async #deliverAll(lease: string, signal: AbortSignal): Promise<void> {
    const { random, log, meter } = this.#options;
    const backoff = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs, jitter: 0.3, random });
    for (;;) {
      const entry = this.#pending.get(lease);
      if (entry === undefined) {
        // In the same turn as the look, so that nothing can be started in between and nobody be there to deliver it.
        this.#delivering.delete(lease);
        return;
      }
      if (this.#tooOld(entry)) {
        log.warn('callback given up, too old', { lease_uuid: lease, status: entry.status });
        await this.#forget(entry);
        continue;
      }
      const arrived = await this.#attempts(entry, signal);
      meter.delivered(arrived ? 'success' : 'failure');
      if (arrived) {
        await this.#forget(entry);
        backoff.reset();
        continue;
      }
      if (this.#pending.get(lease) === entry) await this.#pause(lease, backoff.next(), signal);
    }
  }

  /** The next round comes after the pause, or as soon as there is something newer to tell. */
  async #pause(lease: string, ms: number, signal: AbortSignal): Promise<void> {
    const newer = new AbortController();
    this.#pauses.set(lease, newer);
    try {
      await sleep(this.#options.clock, ms, AbortSignal.any([signal, newer.signal]));
    } catch (error) {
      if (signal.aborted) throw error;
    } finally {
      this.#pauses.delete(lease);
    }
  }

  async #attempts(entry: PendingCallback, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#options;
    for (const [attempt, delayMs] of attemptDelaysMs.entries()) {
      await sleep(clock, delayMs, signal);
      const problem = await this.#slots.run(() => this.#attempt(entry, signal), signal);
      if (problem === undefined) return true;
      log.warn('callback attempt failed', {
        lease_uuid: entry.lease_uuid,
        status: entry.status,
        attempt: attempt + 1,
        error: problem,
      });
    }
    return false;
  }

  /** Why it did not arrive, or undefined if it did. */
  async #attempt(entry: PendingCallback, signal: AbortSignal): Promise<string | undefined> {
    const { clock } = this.#options;
    try {
      const { status, body } = await withDeadline(
        { clock, ms: attemptLimitMs, what: 'the callback', signal },
        (deadline) => this.#options.send(entry, this.#options, clock.now(), deadline),
      );
      return status >= 200 && status < 300 ? undefined : `answered ${status}: ${body.slice(0, 200)}`;
    } catch (error) {
      if (signal.aborted) throw error;
      return errorText(error);
    }
  }

  /** Removes what has arrived, unless something newer has taken its place. */
  async #forget(entry: PendingCallback): Promise<void> {
    const { store, log } = this.#options;
    const { lease_uuid: lease } = entry;
    if (this.#pending.get(lease) === entry) this.#pending.delete(lease);
    try {
      await this.#commits.commit({ apply: () => store.deleteExactly(entry) });
    } catch (error) {
      log.error('a delivered callback could not be removed, it will be sent again', {
        lease_uuid: lease,
        error: errorText(error),
      });
    }
  }

  #tooOld({ created_at: createdAt }: PendingCallback): boolean {
    const { clock, maxAgeMs } = this.#options;
    return maxAgeMs > 0 && clock.now() - Date.parse(createdAt) > maxAgeMs;
  }
}
