/**
 * Follows the containers in scope: looks at the one that an event speaks of, and at all of them at the start, after a gap in
 * the events, and at every poll. One look at a time, so that what is seen later is applied later.
 */
import { type Containers, type EngineEvent, engineErrors } from '@berth/engine';
import { type Clock, sleep } from '@berth/service';
import type { Log } from '@berth/service/log';
import { exposeLabel } from '../labels.ts';
import { discoveryMessages } from '../messages/index.ts';
import { formatPredicate, type LabelPredicate, matches } from '../selector.ts';
import { Wakeup } from '../wakeup.ts';
import type { ObservedContainer } from './container.ts';
import { fromDetails, fromSummary } from './docker.ts';
import { ObservedWorld, type Subject } from './observed-world.ts';

export type SnapshotReason = 'initial' | 'poll' | 'event';

export interface ObserverOptions {
  readonly containers: Pick<Containers, 'list' | 'inspect'>;
  readonly discriminator: readonly LabelPredicate[];
  readonly clock: Clock;
  readonly log: Log;
  /** Everything that is known now. Called for each list, for each look that changed something, and at once for a death. */
  readonly onWorld: (world: ObservedWorld) => void;
  readonly onEvent: (event: EngineEvent) => void;
  readonly onDocker: (state: { readonly error: unknown } | 'answers') => void;
}

/** Between a failed look and the next. */
const retryPauseMs = 2_000;

/** Nothing of this changes where a container is reached. */
const irrelevantAction =
  /^(exec_|health_status|attach|detach|resize|top|copy|export|commit|archive-path|extract-to-dir|update|prune|kill)/;
const endingAction = new Set(['die', 'destroy']);

const failedMessage = {
  initial: discoveryMessages.initialFailed,
  poll: discoveryMessages.pollFailed,
  event: discoveryMessages.eventFailed,
} as const;

export class ContainerObserver {
  readonly #options: ObserverOptions;
  readonly #world = new ObservedWorld();
  readonly #wakeup = new Wakeup();
  readonly #changed = new Set<string>();
  /** Who was heard of during the present look. */
  readonly #heard: Subject[] = [];
  /** Who died during the present look. */
  readonly #died = new Set<string>();
  /** Has there been a whole list? */
  #listed = false;
  #snapshot: SnapshotReason | undefined;
  /** How far the world had changed when it was told last. */
  #told = -1;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** Everything has to be looked at afresh. */
  requestSnapshot(reason: SnapshotReason): void {
    this.#snapshot ??= reason;
    this.#wakeup.wake();
  }

  /** Something happened to a container or a network, ours or not. */
  hear(event: EngineEvent): void {
    if (event.type === 'network') this.#hearNetwork(event);
    else if (event.type === 'container') this.#hearContainer(event);
  }

  #hearContainer(event: EngineEvent): void {
    const { id, action, attributes } = event;
    const inScope = matches(this.#options.discriminator, attributes);
    if (inScope) this.#options.onEvent(event);
    if (irrelevantAction.test(action)) return;
    const isTarget = this.#forgetTarget({ id, name: attributes['name'] });
    if (inScope) this.#changed.add(id);
    if (inScope && endingAction.has(action)) this.#drop(id);
    else this.#died.delete(id);
    if (inScope || isTarget) this.#wakeup.wake();
  }

  /** Does not wait for a look: Docker answers none about a container before it has cleared up after it. */
  #drop(id: string): void {
    this.#died.add(id);
    if (!this.#world.has(id)) return;
    this.#world.drop(id);
    // Amid a look some references may not have been followed yet; the end of the look tells all then.
    if (this.#listed && this.#world.unresolved().size === 0) this.#tell();
  }

  #hearNetwork(event: EngineEvent): void {
    const id = event.attributes['container'];
    if (id === undefined || (event.action !== 'connect' && event.action !== 'disconnect')) return;
    const isTarget = this.#forgetTarget({ id, name: undefined });
    const known = this.#world.has(id);
    if (known) this.#changed.add(id);
    if (!known && !isTarget) return;
    this.#options.onEvent(event);
    this.#wakeup.wake();
  }

  #forgetTarget(subject: Subject): boolean {
    this.#heard.push(subject);
    return this.#world.forgetReferencesTo(subject);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#wakeup.wait(signal);
      const reason = this.#snapshot;
      try {
        await this.#look(signal);
        if (reason !== undefined || this.#world.changes !== this.#told) this.#tell();
        this.#options.onDocker('answers');
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.say(failedMessage[reason ?? 'event'], { err: error });
        this.#options.onDocker({ error });
        this.#snapshot = reason ?? 'event';
        await sleep(this.#options.clock, retryPauseMs, signal);
        this.#wakeup.wake();
      }
    }
  }

  #tell(): void {
    this.#told = this.#world.changes;
    this.#options.onWorld(this.#world);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { containers, discriminator } = this.#options;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#died.clear();
    if (this.#snapshot === undefined) {
      for (const id of changed) await this.#lookAt(id, signal);
    } else {
      this.#snapshot = undefined;
      const label = [...discriminator.map(formatPredicate), exposeLabel];
      const all = await containers.list({ filters: { label } }, { signal });
      this.#world.replace(all.map(fromSummary).filter(({ id }) => !this.#died.has(id)));
      this.#listed = true;
    }
    // What is heard of a target while we look at it makes our look an old one.
    do {
      this.#heard.length = 0;
      await this.#followReferences(signal);
      for (const subject of this.#heard) this.#world.forgetReferencesTo(subject);
    } while (this.#world.unresolved().size > 0);
  }

  async #lookAt(id: string, signal: AbortSignal): Promise<void> {
    try {
      const seen = fromDetails(await this.#options.containers.inspect(id, { signal }));
      // Heard of meanwhile: this may be how it was before, and the next look is due already.
      if (!this.#changed.has(id)) this.#world.put(seen);
    } catch (error) {
      if (!engineErrors.is(error, 'ENGINE_NOT_FOUND')) throw error;
      this.#world.drop(id);
    }
  }

  async #followReferences(signal: AbortSignal): Promise<void> {
    for (let refs = this.#world.unresolved(); refs.size > 0; refs = this.#world.unresolved()) {
      for (const ref of refs) this.#world.learn(ref, await this.#findTarget(ref, signal));
    }
  }

  async #findTarget(ref: string, signal: AbortSignal): Promise<ObservedContainer | undefined> {
    try {
      const target = fromDetails(await this.#options.containers.inspect(ref, { signal }));
      return target.running ? target : undefined;
    } catch (error) {
      if (!engineErrors.is(error, 'ENGINE_NOT_FOUND')) throw error;
      this.#options.log.say(discoveryMessages.targetInspectFailed, { ref, err: error });
      return undefined;
    }
  }
}
