/** Does what was planned to containers: each deed looks again first, can be done twice, and goes back when it fails. */
import { createHash } from 'node:crypto';
import {
  type ContainerDetails,
  type Containers,
  engineErrors,
  type RecreateDoor,
  type Recreated,
  recoverRecreations,
  recreateContainer,
  replaceContainer,
  type System,
} from '@berth/engine';
import type { Log } from '@berth/service/log';
import { lifecycleMessages as messages } from '../messages/index.ts';
import type { AnchordMetrics } from '../metrics.ts';
import { lineageOf } from './lineage.ts';
import type { LifeContainer } from './observe.ts';
import { requestOf, type Spec } from './recipe.ts';

export type RepairDoor = RecreateDoor & {
  readonly containers: Pick<Containers, 'restart'>;
  readonly system: Pick<System, 'spokenVersion'>;
};

export interface RepairParts {
  readonly door: RepairDoor;
  readonly log: Log;
  readonly metrics: Pick<AnchordMetrics, 'lifecycleActions'>;
  /** Who we are, the same from start to start: marks what we began, so that we bring it to its end after a crash. */
  readonly actor: string;
  readonly settleMs?: number | undefined;
}

export type RepairAction = 'start' | 'restart' | 'create' | 'recreate';

export interface Rebinding {
  readonly networkMode: string;
  /** Start it, also if it does not run now. */
  readonly starts: boolean;
  readonly graceS?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

const digest = (text: string, digits: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits);

/** What is seen of a container before a deed differs from what was planned for. */
export class MovedOn extends Error {}

export class Repairs {
  readonly #parts: RepairParts;
  readonly #mark: string;
  /** What keeps us from ending an operation, by the container that it has set aside. */
  readonly #stuck = new Map<string, string | undefined>();

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#mark = digest(parts.actor, 8);
  }

  /** Whether we have begun this operation, in this life or an earlier one. */
  began(operation: string): boolean {
    return operation.startsWith(this.#mark);
  }

  async start({ id }: LifeContainer): Promise<void> {
    await this.#count('start', () => this.#parts.door.containers.start(id));
  }

  /** With the container's own time to stop, unless another is given. */
  async restart(container: LifeContainer, graceS?: number): Promise<void> {
    await this.#confirm(container);
    const options = graceS === undefined ? {} : { graceS };
    await this.#count('restart', () => this.#parts.door.containers.restart(container.id, options));
  }

  async rebind(container: LifeContainer, rebinding: Rebinding, signal: AbortSignal): Promise<Recreated> {
    await this.#confirm(container);
    const { networkMode, starts, graceS, labels } = rebinding;
    const change = {
      container: container.id,
      operation: this.#operation(container, networkMode),
      networkMode,
      labels: { ...labels, ...lineageOf(container) },
      start: starts ? ('yes' as const) : ('as-it-was' as const),
      graceS,
    };
    return await this.#count('recreate', () =>
      recreateContainer(this.#parts.door, change, { signal, settleMs: this.#parts.settleMs }),
    );
  }

  /** The id. Rejects with `StartFailed` where it is there and does not run. */
  async createManaged(spec: Spec): Promise<string> {
    const { containers } = this.#parts.door;
    const { id } = await this.#count('create', () => containers.create(requestOf(spec), { name: spec.name }));
    try {
      await this.#count('start', () => containers.start(id));
    } catch (error) {
      throw new StartFailed('it was created and does not start', { cause: error });
    }
    return id;
  }

  async replaceManaged(anchor: LifeContainer, spec: Spec, signal: AbortSignal): Promise<Recreated> {
    await this.#confirm(anchor);
    const change = {
      container: anchor.id,
      operation: this.#operation(anchor, JSON.stringify(requestOf(spec))),
      start: 'yes' as const,
      labels: lineageOf(anchor),
    };
    return await this.#count('recreate', () =>
      replaceContainer(this.#parts.door, requestOf(spec), change, {
        signal,
        settleMs: this.#parts.settleMs,
      }),
    );
  }

  /** Ends what a crash left half done, of those that `accepts` lets through. True if anything was touched. */
  async recover(accepts: (id: string) => boolean): Promise<boolean> {
    const { door, log, settleMs } = this.#parts;
    const recovered = await recoverRecreations(door, ({ id }) => accepts(id), { settleMs });
    for (const { leftover, outcome, problem } of recovered) {
      const isNews = this.#stuck.get(leftover.id) !== problem;
      if (outcome === 'stuck') this.#stuck.set(leftover.id, problem);
      else this.#stuck.delete(leftover.id);
      if (outcome === 'stuck' && isNews)
        log.say(messages.recoveryStuck, { container: leftover.name, aside: leftover.id, err: problem });
      if (outcome !== 'stuck') log.say(messages.recovered, { container: leftover.name, outcome });
    }
    return recovered.length > 0;
  }

  /** The same deed to the same container has the same name, so that it goes on where an earlier attempt stopped. */
  #operation({ id }: LifeContainer, what: string): string {
    return `${this.#mark}${digest(`${id} ${what}`, 16)}`;
  }

  /** Between the plan and the deed somebody else may have done it. */
  async #confirm(planned: LifeContainer): Promise<void> {
    const found = await this.#inspect(planned.id);
    if (found === undefined) throw new MovedOn('it is gone');
    if (found.name !== planned.name) throw new MovedOn(`it is called ${found.name} by now`);
    if (found.networkMode !== planned.networkMode) throw new MovedOn('its network mode is another one');
    const runningSince = found.state.running && !found.state.restarting ? found.state.startedAt : undefined;
    const wasSeen = planned.look !== undefined;
    if (wasSeen && runningSince !== planned.runningSince) throw new MovedOn('it was started or stopped');
  }

  async #inspect(id: string): Promise<ContainerDetails | undefined> {
    try {
      return await this.#parts.door.containers.inspect(id);
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async #count<Result>(action: RepairAction, deed: () => Promise<Result>): Promise<Result> {
    const { lifecycleActions } = this.#parts.metrics;
    try {
      const result = await deed();
      lifecycleActions.inc({ action, outcome: 'ok' });
      return result;
    } catch (error) {
      // Another anchor has begun the same in the same moment, and has gone further.
      if (action === 'recreate' && engineErrors.is(error, 'ENGINE_CONFLICT'))
        throw new MovedOn(error.message);
      lifecycleActions.inc({ action, outcome: 'error' });
      throw error;
    }
  }
}

export class StartFailed extends Error {}
