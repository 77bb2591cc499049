/** Our containers in the engine's one stream of events: who waits for a state hears of it, and deaths are reported. */
import type { EngineEvent, EventFeed } from '@berth/engine';
import type { Scope } from '@berth/service';
import { isSetAside, label } from '../names/index.ts';
import type { ContainerEvents, Happened } from './state-watch.ts';

interface Died {
  readonly lease: string;
  readonly service: string;
  readonly index: number;
  readonly containerId: string;
}

export interface EngineWatchOptions {
  readonly feed: EventFeed;
  readonly backendName: string;
  readonly onDeath: (died: Died) => void;
  /** Events may have been missed: somebody has to look at everything. */
  readonly onGap: () => void;
}

export class EngineWatch implements ContainerEvents {
  readonly #listeners = new Set<Happened>();
  readonly #options: EngineWatchOptions;

  constructor(scope: Scope, options: EngineWatchOptions) {
    this.#options = options;
    scope.spawn('container events', (signal) => this.#follow(signal));
  }

  listen(listener: Happened): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { feed, onGap } = this.#options;
    const batches = feed.subscribe({ signal, accepts: (event) => this.#isOurs(event) });
    for await (const { resync, events } of batches) {
      if (resync !== undefined) {
        this.#tell(undefined);
        onGap();
      }
      for (const event of events) this.#take(event);
    }
  }

  #isOurs({ type, attributes }: EngineEvent): boolean {
    return type === 'container' && attributes[label.backendName] === this.#options.backendName;
  }

  #take({ action, id, attributes }: EngineEvent): void {
    this.#tell(id, action);
    const lease = attributes[label.lease];
    if (action !== 'die' || lease === undefined || isSetAside(attributes['name'] ?? '')) return;
    const service = attributes[label.serviceName] ?? '';
    this.#options.onDeath({
      lease,
      service,
      index: Number(attributes[label.instanceIndex] ?? 0),
      containerId: id,
    });
  }

  #tell(container: string | undefined, action?: string): void {
    for (const listener of this.#listeners) listener(container, action);
  }
}
