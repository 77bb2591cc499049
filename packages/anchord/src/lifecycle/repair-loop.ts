/**
 * Looks, plans, repairs, and looks again until nothing is left to do: on events, and at intervals, because events get
 * lost. Each container's repairs pass a guard against storms, and some wait a moment first, because somebody else may be
 * just about to do it.
 */
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { pause, Wakeup } from '../wakeup.ts';
import type { StormGuard } from './storm-guard.ts';

/** How a step is counted and held back. */
export interface Case {
  /** Whose repairs are counted together. */
  readonly key: string;
  /** For people. */
  readonly container: string;
  /** The same as long as it is about the same trouble. */
  readonly trouble: string;
  /** How long the trouble has to last before something is done. */
  readonly patienceMs: number;
}

export interface RepairLoopOptions<Step, Source extends string> {
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly metrics: Pick<AnchordMetrics, 'lifecycleHeldBack'>;
  readonly storm: StormGuard;
  readonly random: () => number;
  readonly pollMs: number;
  /** What is asked for waits so long for more of it: things happen in bursts, and one look sees them all. */
  readonly gatherMs?: number;
  /** What an interval's look is called; every other source comes before it. */
  readonly pollSource: Source;
  /** Looks and plans; rejects where Docker does not answer. */
  readonly plan: (source: Source, signal: AbortSignal) => Promise<readonly Step[]>;
  readonly caseOf: (step: Step) => Case;
  /** Says itself what has failed; rejects only for a defect. */
  readonly perform: (step: Step, source: Source, signal: AbortSignal) => Promise<void>;
  readonly onPlanFailed: (error: unknown, source: Source) => void;
  /** A repair came too soon after the one before. */
  readonly onSuppressed?: (step: Step, sinceLastMs: number, source: Source) => void;
}

const retryMs = 2_000;
/** Looks in a row without a rest. */
const mostRounds = 20;
const atOnce = 4;

export class RepairLoop<Step, Source extends string> {
  readonly #options: RepairLoopOptions<Step, Source>;
  readonly #wakeup = new Wakeup();
  #source: Source | undefined;
  /** Since when each trouble is known. */
  #troubles = new Map<string, number>();

  constructor(options: RepairLoopOptions<Step, Source>) {
    this.#options = options;
  }

  request(source: Source): void {
    this.#source ??= source;
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, onPlanFailed, pollSource } = this.#options;
    while (!signal.aborted) {
      const source = this.#source ?? pollSource;
      this.#source = undefined;
      let restMs = retryMs;
      try {
        restMs = await this.look(source, signal);
      } catch (error) {
        if (signal.aborted) return;
        onPlanFailed(error, source);
        this.#source ??= source;
        await pause(clock, retryMs, signal);
        continue;
      }
      await this.#rest(restMs, signal);
    }
  }

  /** Until it is time, or somebody has asked. A look that has begun since is the answer to what was asked before. */
  async #rest(restMs: number, signal: AbortSignal): Promise<void> {
    const { clock, gatherMs = 0 } = this.#options;
    const until = clock.monotonic() + restMs;
    let woken = true;
    while (woken && this.#source === undefined) {
      woken = await this.#wakeup.waitUpTo(clock, until - clock.monotonic(), signal);
    }
    if (woken && gatherMs > 0) await pause(clock, gatherMs, signal);
  }

  /** Looks and repairs until nothing is due; answers how long that is so. */
  async look(source: Source, signal: AbortSignal): Promise<number> {
    const { plan, perform, storm, caseOf, pollMs, random } = this.#options;
    for (let round = 0; round < mostRounds && !signal.aborted; round++) {
      const { due, restMs } = this.#sift(await plan(source, signal), source);
      if (due.length === 0) return Math.min(restMs, pollMs * (0.9 + 0.2 * random()));
      await inParallel(due, atOnce, async (step) => {
        if (signal.aborted) return;
        storm.done(caseOf(step).key);
        await perform(step, source, signal);
      });
    }
    return retryMs;
  }

  #sift(steps: readonly Step[], source: Source): { readonly due: readonly Step[]; readonly restMs: number } {
    const { clock, storm, caseOf, onSuppressed } = this.#options;
    const now = clock.monotonic();
    const troubles = new Map<string, number>();
    const due: Step[] = [];
    let restMs = Number.POSITIVE_INFINITY;
    for (const step of steps) {
      const { key, container, trouble, patienceMs } = caseOf(step);
      const since = this.#troubles.get(trouble) ?? now;
      troubles.set(trouble, since);
      const leftMs = since + patienceMs - now;
      const permission = leftMs > 0 ? ({ kind: 'patience', ms: leftMs } as const) : storm.ask(key);
      if (permission.kind === 'go') due.push(step);
      else restMs = Math.min(restMs, permission.ms);
      if (permission.kind === 'wait') onSuppressed?.(step, permission.sinceLastMs, source);
      if (permission.kind === 'held' && permission.isNews) this.#sayHeld(container, permission.ms);
    }
    this.#troubles = troubles;
    this.#tellHeld();
    return { due, restMs };
  }

  #sayHeld(container: string, ms: number): void {
    const { log, metrics, storm } = this.#options;
    metrics.lifecycleHeldBack.inc();
    log.say(messages.heldBack, {
      container,
      repairs: storm.limits.most,
      within: storm.limits.withinMs * 1_000_000,
      retry_in: Math.round(ms) * 1_000_000,
    });
  }

  #tellHeld(): void {
    const { problems, storm } = this.#options;
    const detail = `repaired ${storm.limits.most} times in ${storm.limits.withinMs / 1_000} s`;
    problems.observe(
      ['repairs-held-back'],
      storm.held.map((key) => ({ code: 'repairs-held-back', subject: key, detail })),
    );
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const next = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, next));
}
