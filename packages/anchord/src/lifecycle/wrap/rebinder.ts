/** Keeps the wrap containers of a project with their targets: on the targets' starts, and at every poll. */
import { type EngineEvent, type Events, engineErrors } from '@berth/engine';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import { wrapRebinderMessages as messages } from '../../messages/index.ts';
import type { AnchordMetrics } from '../../metrics.ts';
import type { Problems } from '../../problems.ts';
import { Leftovers } from '../leftovers.ts';
import { type LifeContainer, observeContainers } from '../observe.ts';
import { projectOf } from '../reach.ts';
import { type Case, RepairLoop } from '../repair-loop.ts';
import { MovedOn, type RepairDoor, Repairs } from '../repairs.ts';
import { StormGuard, type StormLimits } from '../storm-guard.ts';
import { planWraps, type WrapStep, wrapsOf, wrapTargetLabel } from './plan.ts';

export interface WrapSettings {
  readonly project: string;
  readonly selfId: string;
  /** Our own container's name. */
  readonly actor: string;
  readonly pollMs: number;
  readonly graceMs: number;
}

export interface WrapParts {
  readonly door: RepairDoor & { readonly events: Pick<Events, 'past'> };
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly metrics: AnchordMetrics;
  /** Everything was looked at once. */
  readonly onLooked: () => void;
  readonly random?: () => number;
  readonly settleMs?: number;
  readonly limits?: Partial<StormLimits>;
}

interface Wrapped {
  readonly container: string;
  /** Undefined where nobody knows it any more. */
  readonly target: string | undefined;
}

export type WrapSource = 'startup' | 'poll' | 'event/target-start' | 'event/sibling-start';

/** Compose re-creates what joins a service of its own project itself, and would stumble over us. */
const ownTargetPatienceMs = 10_000;

export class WrapRebinder {
  readonly #settings: WrapSettings;
  readonly #parts: WrapParts;
  readonly #repairs: Repairs;
  readonly #leftovers: Leftovers;
  readonly #loop: RepairLoop<WrapStep, WrapSource>;
  /** The target's name by the wrap container's. */
  #known = new Map<string, string>();
  #formerNames = new Map<string, string>();
  #askedFor = new Set<string>();
  #orphans = new Set<string>();
  #wraps: readonly Wrapped[] = [];
  #targets: string | undefined;
  readonly #suppressed = new Set<string>();

  constructor(settings: WrapSettings, parts: WrapParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { clock, random = Math.random, limits } = parts;
    const repairs = new Repairs({ ...parts, actor: settings.actor });
    this.#repairs = repairs;
    this.#leftovers = new Leftovers({
      now: () => clock.monotonic(),
      isOwn: (operation) => repairs.began(operation),
      isWithinReach: ({ labels }) => projectOf(labels) === settings.project,
    });
    this.#loop = new RepairLoop<WrapStep, WrapSource>({
      ...parts,
      random,
      storm: new StormGuard(() => clock.monotonic(), random, limits),
      pollMs: settings.pollMs,
      pollSource: 'poll',
      plan: (_, signal) => this.#plan(signal),
      caseOf: (step) => this.#caseOf(step),
      perform: (step, source, signal) => this.#perform(step, source, signal),
      onPlanFailed: (err, source) =>
        parts.log.say(source === 'startup' ? messages.recheckListFailed : messages.poolListFailed, { err }),
      onSuppressed: (step, sinceLastMs, source) => this.#sayOnce(step, sinceLastMs, source),
    });
  }

  /** As they were seen last. */
  get wraps(): readonly Wrapped[] {
    return this.#wraps;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { project, pollMs, graceMs } = this.#settings;
    this.#parts.log.say(messages.starting, {
      project,
      poll_interval: pollMs * 1_000_000,
      restart_timeout: graceMs * 1_000_000,
    });
    this.#loop.request('startup');
    await this.#loop.run(signal);
  }

  /** One look with all that follows from it; answers how long nothing is due. */
  look(source: WrapSource, signal: AbortSignal): Promise<number> {
    return this.#loop.look(source, signal);
  }

  /** The events may have a gap. */
  resync(): void {
    this.#loop.request('poll');
  }

  hear({ type, action, attributes }: EngineEvent): void {
    if (type !== 'container' || action !== 'start') return;
    const name = attributes['name'] ?? '';
    const anchors = [...this.#known].filter(([, target]) => target === name).map(([anchor]) => anchor);
    if (anchors.length > 0) {
      this.#parts.log.say(messages.targetStarted, { target: name, anchors });
      this.#loop.request('event/target-start');
    }
    if (projectOf(attributes) === this.#settings.project) this.#loop.request('event/sibling-start');
  }

  async #plan(signal: AbortSignal): Promise<readonly WrapStep[]> {
    const all = await this.#observe(signal);
    const { project, selfId } = this.#settings;
    const view = () => ({ project, selfId, known: this.#known, formerNames: this.#formerNames });
    let wraps = wrapsOf(all, view());
    if (await this.#askForNames(wraps, signal)) wraps = wrapsOf(all, view());
    this.#remember(wraps);
    this.#parts.onLooked();
    return planWraps(all, wraps);
  }

  async #observe(signal: AbortSignal): Promise<readonly LifeContainer[]> {
    const { door } = this.#parts;
    const all = await observeContainers(door.containers, signal);
    const due = this.#leftovers.due(all);
    if (due.size === 0 || !(await this.#repairs.recover((id) => due.has(id)))) return all;
    return await observeContainers(door.containers, signal);
  }

  /** The engine remembers its last events for a while: enough for who was started after the target went. */
  async #askForNames(wraps: ReturnType<typeof wrapsOf>, signal: AbortSignal): Promise<boolean> {
    const unknown = wraps
      .filter(({ targetName, reference }) => targetName === undefined && !this.#askedFor.has(reference))
      .map(({ reference }) => reference);
    if (unknown.length === 0) return false;
    const { door, clock } = this.#parts;
    const filters = { type: ['container'], event: ['destroy'], container: unknown };
    const query = { since: 1_000, until: clock.now(), filters };
    try {
      for (const { id, attributes } of await door.events.past(query, { signal })) {
        const reference = unknown.find((one) => id.startsWith(one));
        if (reference !== undefined && attributes['name'] !== undefined)
          this.#formerNames.set(reference, attributes['name']);
      }
    } catch (error) {
      if (!engineErrors.is(error)) throw error;
      return false;
    }
    for (const reference of unknown) this.#askedFor.add(reference);
    return true;
  }

  #remember(wraps: ReturnType<typeof wrapsOf>): void {
    const { log } = this.#parts;
    this.#wraps = wraps.map(({ container, targetName: target }) => ({ container: container.name, target }));
    const known = new Map<string, string>();
    const orphans = new Set<string>();
    for (const { container, reference, targetName } of wraps) {
      if (targetName !== undefined) known.set(container.name, targetName);
      else {
        orphans.add(container.id);
        if (!this.#orphans.has(container.id))
          log.say(messages.orphan, { anchor: container.name, stored_ref: reference });
      }
    }
    // Who is missing for a moment comes back under its name; who is gone for good costs nothing.
    this.#known = new Map([...this.#known, ...known]);
    this.#orphans = orphans;
    const targets = [...new Set(known.values())].sort();
    if (this.#targets === targets.join()) return;
    this.#targets = targets.join();
    if (targets.length === 0) log.say(messages.poolEmpty);
    else log.say(messages.poolRefreshed, { targets });
  }

  #caseOf({ container, target, targetName }: WrapStep): Case {
    const key = `${targetName}/${container.name}`;
    const isOwn = projectOf(target.labels) === this.#settings.project;
    return {
      key,
      container: container.name,
      trouble: `${container.id} ${target.id} ${target.runningSince}`,
      patienceMs: isOwn ? ownTargetPatienceMs : 0,
    };
  }

  async #perform(step: WrapStep, source: WrapSource, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const { container, target, targetName, reference } = step;
    const attrs = { anchor: container.name, target: targetName, source };
    this.#suppressed.delete(container.name);
    const graceS = Math.ceil(this.#settings.graceMs / 1_000);
    try {
      if (step.do === 'start') {
        await this.#repairs.start(container);
        log.say(messages.started, attrs);
      } else if (step.do === 'rejoin') {
        await this.#repairs.restart(container, graceS);
        log.say(messages.rejoined, attrs);
      } else {
        log.say(messages.drift, { ...attrs, stored_ref: reference, current_id: target.id });
        const labels = { [wrapTargetLabel]: targetName };
        const rebinding = { networkMode: `container:${targetName}`, starts: step.starts, graceS, labels };
        const made = await this.#repairs.rebind(container, rebinding, signal);
        log.say(messages.recreated, { old_id: container.id, new_id: made.id, target: targetName, source });
      }
    } catch (err) {
      if (!(err instanceof MovedOn) && !signal.aborted) log.say(messages.failed, { ...attrs, err });
    }
  }

  #sayOnce({ container, targetName }: WrapStep, sinceLastMs: number, source: WrapSource): void {
    if (this.#suppressed.has(container.name)) return;
    this.#suppressed.add(container.name);
    const since_last = Math.round(sinceLastMs) * 1_000_000;
    this.#parts.log.say(messages.suppressed, {
      anchor: container.name,
      target: targetName,
      since_last,
      source,
    });
  }
}
