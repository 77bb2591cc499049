/** Keeps the DHCP client of one family running, and its gauge and counters true, whatever becomes of single clients. */
import type { Clock } from '@berth/service';
import { errorText } from '@berth/service/log';
import type { Family } from '../families.ts';
import type { AnchordMetrics, IgnoredReason } from '../metrics.ts';
import { pause } from '../wakeup.ts';

/** A client of either family, as far as this loop knows it. */
export interface RunningClient {
  /** On the clock that never jumps; nothing while there is no lease. */
  readonly leaseEndsAtMs: number | undefined;
  /** How many packets did not count since its start. */
  readonly ignored: Readonly<Partial<Record<IgnoredReason, number>>>;
  /** Gives back what there is and takes the addresses off. */
  stop(): Promise<void> | void;
}

export interface LeaseLoopParts {
  readonly family: Family;
  readonly backoffMaxMs: number;
  readonly clock: Clock;
  readonly metrics: AnchordMetrics;
  readonly onScrape: (collect: () => void) => () => void;
  /** There is an interface to begin on. */
  present(): boolean;
  /** Throws where a client can not begin. */
  start(failed: (error: unknown) => void): RunningClient;
  /** A client could not begin, or can not go on; another one starts after the pause. */
  lost(reason: string, backoffMs: number): void;
}

const firstBackoffMs = 1_000;
/** How often we look for an interface that is not there. */
const presenceMs = 1_000;

/** Until the abort; then the lease is given back and its addresses are off before this resolves. */
export async function keepLease(parts: LeaseLoopParts, signal: AbortSignal): Promise<void> {
  const { family, clock, metrics, onScrape, backoffMaxMs } = parts;
  let current: WatchedClient | undefined;
  const forget = onScrape(() => {
    const left = Math.max(0, (current?.client.leaseEndsAtMs ?? 0) - clock.monotonic()) / 1_000;
    metrics.leaseRemaining.set(left, { family });
    current?.count();
  });
  try {
    for (let backoffMs = Math.min(firstBackoffMs, backoffMaxMs); !signal.aborted; ) {
      const started = clock.monotonic();
      const error = await untilEnd(parts, signal, (client) => {
        current = client;
      });
      current = undefined;
      if (signal.aborted) return;
      // One that ran for a while did well; its end is a new matter.
      if (clock.monotonic() - started > backoffMaxMs) backoffMs = Math.min(firstBackoffMs, backoffMaxMs);
      parts.lost(errorText(error), backoffMs);
      if (await interfaceCame(parts, backoffMs, signal)) backoffMs = Math.min(firstBackoffMs, backoffMaxMs);
      if (signal.aborted) return;
      metrics.dhcpRestarts.inc({ family });
      backoffMs = Math.min(backoffMs * 2, backoffMaxMs);
    }
  } finally {
    forget();
    metrics.leaseRemaining.remove({ family });
  }
}

/** Lets the pause pass; where there is no interface it ends as soon as there is one, which is told. */
async function interfaceCame(
  { clock, present }: LeaseLoopParts,
  pauseMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const absent = !present();
  const until = clock.monotonic() + pauseMs;
  for (let leftMs = pauseMs; leftMs > 0 && !signal.aborted; leftMs = until - clock.monotonic()) {
    await pause(clock, absent ? Math.min(leftMs, presenceMs) : leftMs, signal);
    if (absent && present()) return true;
  }
  return false;
}

/** One client from its start to its end; answers why it can not go on. */
async function untilEnd(
  { family, metrics, start }: LeaseLoopParts,
  signal: AbortSignal,
  onStart: (client: WatchedClient) => void,
): Promise<unknown> {
  const ended = Promise.withResolvers<unknown>();
  const stop = (): void => ended.resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  let watched: WatchedClient | undefined;
  try {
    watched = new WatchedClient(start(ended.resolve), (by, reason) =>
      metrics.dhcpIgnored.add(by, { family, reason }),
    );
    onStart(watched);
    return await ended.promise;
  } catch (error) {
    return error;
  } finally {
    signal.removeEventListener('abort', stop);
    watched?.count();
    await watched?.client.stop();
  }
}

/** A client counts from its own start; what is told are the differences. */
class WatchedClient {
  readonly client: RunningClient;
  readonly #add: (by: number, reason: IgnoredReason) => void;
  #told: RunningClient['ignored'] = {};

  constructor(client: RunningClient, add: (by: number, reason: IgnoredReason) => void) {
    this.client = client;
    this.#add = add;
  }

  count(): void {
    const now = { ...this.client.ignored };
    for (const reason of Object.keys(now) as IgnoredReason[]) {
      this.#add((now[reason] ?? 0) - (this.#told[reason] ?? 0), reason);
    }
    this.#told = now;
  }
}
