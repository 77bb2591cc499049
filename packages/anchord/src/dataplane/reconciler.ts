/** Brings the kernel in line with the backends, one state at a time, and again when that fails or somebody undoes it. */
import type { Conntrack } from '@berth/kernel/conntrack';
import type { IpAddress } from '@berth/kernel/ip';
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import type { Backend } from '../discovery/index.ts';
import { families } from '../families.ts';
import { protocols } from '../labels.ts';
import { dataplaneMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { pause, Wakeup } from '../wakeup.ts';
import type { Dataplane } from './dataplane.ts';
import { type DesiredDataplane, type DnatEntries, desiredDataplane, sameDataplane } from './desired.ts';
import { FlowKeeper } from './flow-keeper.ts';
import { abandonedAddresses, handOver } from './hand-over.ts';

export interface ReconcilerParts {
  readonly dataplane: Dataplane;
  readonly conntrack: Pick<Conntrack, 'delete'>;
  /** All addresses of ours that clients may use. */
  readonly ownAddresses: () => readonly IpAddress[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
  /** The kernel has what Docker says. Called more than once. */
  readonly onReconciled: () => void;
}

/** Between a failed attempt and the next one. */
const retryMs = { first: 200, most: 10_000 } as const;

export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #wakeup = new Wakeup();
  readonly #flowKeeper: FlowKeeper;
  #wanted: readonly Backend[] | undefined;
  #done = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#flowKeeper = new FlowKeeper(parts);
  }

  /** From now on these are the backends. */
  want(backends: readonly Backend[]): void {
    this.#wanted = backends;
    this.#wakeup.wake();
  }

  /** Somebody changed rulesets, or their shape, or it is time to look whether. */
  verify(): void {
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    // What the next backend waits for is its rule, and not the flows of the last one.
    await Promise.all([this.#applyAll(signal), this.#flowKeeper.run(signal)]);
  }

  async #applyAll(signal: AbortSignal): Promise<void> {
    let retryAfterMs: number = retryMs.first;
    for (;;) {
      await this.#wakeup.wait(signal);
      if (signal.aborted) return;
      if (this.#attempt()) {
        retryAfterMs = retryMs.first;
        continue;
      }
      await pause(this.#parts.clock, retryAfterMs, signal);
      retryAfterMs = Math.min(retryAfterMs * 2, retryMs.most);
      this.#wakeup.wake();
    }
  }

  #attempt(): boolean {
    const { clock, log, metrics, problems, dataplane } = this.#parts;
    const started = clock.monotonic();
    const observe = (): void => metrics.reconcileDuration.observe((clock.monotonic() - started) / 1_000);
    const backends = this.#wanted;
    this.#wanted = undefined;
    try {
      this.#repair();
      dataplane.renew();
      if (backends === undefined) return true;
      const desired = desiredDataplane(backends, dataplane.entries);
      this.#report(desired);
      const flushed = this.#apply(desired, observe);
      if (flushed === undefined) observe();
      problems.clear('kernel-refuses', '');
      metrics.reconciles.inc({ result: 'ok' });
      if (flushed !== undefined || !this.#done) {
        const entries = desired.entries.size;
        log.say(messages.reconciled, { backends: backends.length, entries, conntrack_flushed: flushed ?? 0 });
      }
      this.#done = true;
      this.#parts.onReconciled();
      return true;
    } catch (error) {
      this.#wanted = backends;
      if (backends !== undefined) observe();
      metrics.reconciles.inc({ result: 'error' });
      log.say(messages.reconcileFailed, { err: error });
      problems.set('kernel-refuses', '', errorText(error));
      return false;
    }
  }

  #repair(): void {
    const { dataplane, log, metrics } = this.#parts;
    const drift = dataplane.repair();
    if (drift.length === 0) return;
    metrics.tableRepairs.inc();
    log.say(messages.tablesRepaired, { drift });
  }

  /** The number of backend addresses whose flows were forgotten; undefined when nothing had to be written. */
  #apply({ entries }: DesiredDataplane, ended: () => void): number | undefined {
    const { dataplane, metrics } = this.#parts;
    const before = dataplane.entries;
    dataplane.apply(entries);
    countEntries(metrics, entries);
    if (sameDataplane(before, entries)) return undefined;
    const flows = handOver(before, entries);
    const addresses = abandonedAddresses(flows);
    for (const { family } of addresses) metrics.conntrackFlushes.inc({ family });
    this.#flowKeeper.forget(flows, ended);
    return addresses.length;
  }

  #report({ conflicts }: DesiredDataplane): void {
    const { problems, log } = this.#parts;
    const now = conflicts.map(({ key, holder, refused }) => ({
      code: 'port-conflict' as const,
      subject: key,
      detail: `held by ${holder.name}, refused to ${refused.map(({ name }) => name).join(', ')}`,
      attrs: { key, holder: holder.name, refused: refused.map(({ name }) => name) },
    }));
    const { appeared, solved } = problems.observe(['port-conflict'], now);
    for (const { subject } of appeared) {
      const found = now.find((conflict) => conflict.subject === subject);
      if (found !== undefined) log.say(messages.portConflict, found.attrs);
    }
    for (const { subject } of solved) log.say(messages.portConflictSolved, { key: subject });
  }
}

function countEntries(metrics: AnchordMetrics, entries: DnatEntries): void {
  const all = [...entries.values()];
  for (const family of families) {
    for (const proto of protocols) {
      const count = all.filter((one) => one.family === family && one.protocol === proto).length;
      metrics.dnatEntries.set(count, { family, proto });
    }
  }
}
