/** Keeps the containers around a network-anchor alive: siblings, the managed service-anchor, dependents. */
import type { EngineEvent } from '@berth/engine';
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import { Leftovers } from './leftovers.ts';
import { type LifeContainer, observeContainers } from './observe.ts';
import { LifePerformer, type LifeSource } from './perform.ts';
import { type LifeStep, planLife } from './plan.ts';
import type { ManagedObstacle, ManagedView } from './plan-managed.ts';
import { isWithin, type Reach } from './reach.ts';
import { type Recipe, type Self, specOf } from './recipe.ts';
import { type Case, RepairLoop } from './repair-loop.ts';
import { type RepairDoor, Repairs } from './repairs.ts';
import { StormGuard, type StormLimits } from './storm-guard.ts';

export interface KeeperSettings {
  readonly recipe: Recipe | undefined;
  readonly reach: Reach;
  readonly autofix: boolean;
  readonly pollMs: number;
  /** Our own container's name. */
  readonly actor: string;
}

export interface KeeperParts {
  readonly door: RepairDoor;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly metrics: AnchordMetrics;
  /** Asked only where there is a recipe. */
  readonly lookAtSelf: (signal: AbortSignal) => Promise<Self>;
  readonly random?: () => number;
  readonly settleMs?: number;
  readonly limits?: Partial<StormLimits>;
}

/**
 * A look lists every container of the host, which keeps the engine and us busy for a while. The rules that lead to a
 * container that has just started go first.
 */
const gatherMs = 100;
/** Who restarts an owner in place is often about to restart what hangs on it, too. */
const patienceMs = 2_000;

export class LifecycleKeeper {
  readonly #settings: KeeperSettings;
  readonly #parts: KeeperParts;
  readonly #repairs: Repairs;
  readonly #leftovers: Leftovers;
  readonly #loop: RepairLoop<LifeStep, LifeSource>;
  /** Whether an old image is still to be looked for. */
  #checksImage = true;
  #anchorGone = false;
  #lastWord = '';

  constructor(settings: KeeperSettings, parts: KeeperParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { clock, random = Math.random, limits } = parts;
    const repairs = new Repairs({ ...parts, actor: settings.actor });
    const performer = new LifePerformer({ ...parts, repairs });
    this.#repairs = repairs;
    this.#leftovers = new Leftovers({
      now: () => clock.monotonic(),
      isOwn: (operation) => repairs.began(operation),
      isWithinReach: (container) => isWithin(settings.reach, container),
    });
    this.#loop = new RepairLoop<LifeStep, LifeSource>({
      ...parts,
      random,
      storm: new StormGuard(() => clock.monotonic(), random, limits),
      pollMs: settings.pollMs,
      gatherMs,
      pollSource: 'poll',
      plan: (source, signal) => this.#plan(source, signal),
      caseOf,
      perform: (step, source, signal) => performer.perform(step, source, signal),
      onPlanFailed: (err, source) => {
        const [backfill, gone] = [messages.backfillListFailed, messages.saGoneListFailed];
        parts.log.say(
          source === 'event/sa-gone' ? gone : source === 'event' ? messages.eventListFailed : backfill,
          { err },
        );
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { recipe } = this.#settings;
    if (recipe !== undefined)
      this.#parts.log.say(messages.recipeActive, {
        target: recipe.target,
        name: recipe.name,
        image: recipe.image ?? '<self>',
        gateway_ip: recipe.gatewayIp ?? '<self on shared net>',
      });
    this.#loop.request('backfill');
    await this.#loop.run(signal);
  }

  /** One look with all that follows from it; answers how long nothing is due. */
  look(source: LifeSource, signal: AbortSignal): Promise<number> {
    return this.#loop.look(source, signal);
  }

  /** The events may have a gap. */
  resync(): void {
    this.#loop.request('backfill');
  }

  hear({ type, action, attributes }: EngineEvent): void {
    if (type === 'network') {
      // Our own address on the shared network may be another one.
      if (this.#settings.recipe !== undefined && (action === 'connect' || action === 'disconnect'))
        this.#loop.request('event');
      return;
    }
    if (type !== 'container') return;
    const isAnchor = this.#settings.recipe !== undefined && attributes['name'] === this.#settings.recipe.name;
    if (action === 'destroy' && isAnchor) {
      this.#anchorGone = true;
      this.#loop.request('event/sa-gone');
    } else if (action === 'start') this.#loop.request('event');
  }

  async #plan(source: LifeSource, signal: AbortSignal): Promise<readonly LifeStep[]> {
    const { reach, autofix } = this.#settings;
    const all = await this.#observe(signal);
    const managed = await this.#managed(source, signal);
    const plan = planLife(all, { reach, autofix, managed });
    if (managed !== undefined) {
      this.#checksImage = false;
      this.#comment(plan.obstacle, plan.steps, managed);
    }
    return plan.steps;
  }

  /** Half-done things first: what is set aside looks like something that is missing. */
  async #observe(signal: AbortSignal): Promise<readonly LifeContainer[]> {
    const { door } = this.#parts;
    const all = await observeContainers(door.containers, signal);
    const due = this.#leftovers.due(all);
    if (due.size === 0 || !(await this.#repairs.recover((id) => due.has(id)))) return all;
    return await observeContainers(door.containers, signal);
  }

  async #managed(source: LifeSource, signal: AbortSignal): Promise<ManagedView | undefined> {
    const { recipe } = this.#settings;
    if (recipe === undefined) return undefined;
    const { target, name } = recipe;
    let self: Self;
    try {
      self = await this.#parts.lookAtSelf(signal);
    } catch (err) {
      if (signal.aborted) throw err;
      const what = source === 'backfill' && this.#checksImage ? 'driftCheckSkipped' : 'selfInspectFailed';
      this.#once(`${what} ${errorText(err)}`, () => this.#parts.log.say(messages[what], { err }));
      return undefined;
    }
    const spec = specOf(recipe, self);
    if (typeof spec !== 'string') return { spec, self, checksImage: this.#checksImage };
    this.#once(spec, () => this.#parts.log.say(messages.recipeUnresolved, { target, name, err: spec }));
    return undefined;
  }

  #comment(
    obstacle: ManagedObstacle | undefined,
    steps: readonly LifeStep[],
    { spec: { name, target } }: ManagedView,
  ): void {
    const { log } = this.#parts;
    const respawns = steps.some((step) => step.do === 'create managed');
    if (this.#anchorGone && respawns) log.say(messages.goneRespawning, { name, target, reason: 'absent' });
    if (this.#anchorGone && obstacle?.kind === 'no target')
      log.say(messages.targetNotRunning, { name, target });
    this.#anchorGone = false;
    if (obstacle?.kind === 'foreign') {
      const { container, owner } = obstacle;
      const attrs = { name, container_id: container.id, owner };
      this.#once(`foreign ${container.id}`, () => log.say(messages.foreignName, attrs));
    } else if (obstacle?.kind === 'fine') {
      this.#lastWord = '';
      log.say(messages.alreadyRunning, { name, target });
    }
  }

  /** The same words again and again say nothing more. */
  #once(word: string, say: () => void): void {
    if (this.#lastWord !== word) say();
    this.#lastWord = word;
  }
}

/** Starting something for a target that has come anew is another case; making something anew is not. */
function caseOf(step: LifeStep): Case {
  switch (step.do) {
    case 'start sibling':
      return counted(step.container.name, `${step.container.name} for ${step.target.id}`);
    case 'start stranded':
      return counted(step.container.name, `${step.container.name} for ${since(step.owner)}`);
    case 'start managed':
      return counted(step.anchor.name, `${step.anchor.name} for ${since(step.target)}`);
    case 'create managed':
      return counted(step.spec.name, step.spec.name);
    case 'recreate managed':
      return counted(step.anchor.name, step.anchor.name);
    case 'restart managed':
      return counted(step.anchor.name, step.anchor.name);
    case 'rebind':
      return counted(step.container.name, step.container.name);
    case 'rejoin':
      return {
        ...counted(step.container.name, step.container.name),
        trouble: `${step.container.id} ${since(step.owner)}`,
        patienceMs,
      };
  }
}

const since = ({ id, runningSince }: LifeContainer): string => `${id} ${runningSince}`;

const counted = (container: string, key: string): Case => ({ key, container, trouble: key, patienceMs: 0 });
