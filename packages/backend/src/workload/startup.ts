/** Has a container really started? The same outcomes and times as always, but told by events. */
import type { ContainerDetails } from '@berth/engine';
import { type FailureText, failureText } from '../lease/index.ts';
import type { DependencyCondition } from '../manifest/index.ts';
import { hasActiveHealthCheck, type Instance } from '../stack/index.ts';
import { isAlive, isDead } from './listing.ts';
import type { StateWatch } from './state-watch.ts';

/** A start that failed: what the caller is told, and which container it was. */
export class StartupFailure extends Error {
  readonly text: FailureText;
  readonly containerId: string;

  constructor(text: FailureText, containerId: string) {
    super(text);
    this.text = text;
    this.containerId = containerId;
  }
}

export class Startup {
  readonly #watch: StateWatch;
  readonly #verifyMs: number;

  /** `verifyMs`: how long a container without a health check has to run. */
  constructor(watch: StateWatch, verifyMs: number) {
    this.#watch = watch;
    this.#verifyMs = verifyMs;
  }

  /** The container is about to be started. */
  begin(id: string): void {
    this.#watch.beforeStart(id);
  }

  /** Resolves when the instance counts as started; rejects as soon as it cannot any more. */
  verify(instance: Instance, id: string, signal: AbortSignal): Promise<void> {
    return hasActiveHealthCheck(instance) ? this.#untilHealthy(id, signal) : this.#whileItRuns(id, signal);
  }

  /** Resolves when something that waits for this instance may start. */
  async until(condition: DependencyCondition, id: string, signal: AbortSignal): Promise<void> {
    if (condition === 'service_healthy') await this.#untilHealthy(id, signal);
    else
      await this.#watch.until(id, ({ state }) => (state.startedAt === undefined ? undefined : true), signal);
  }

  async #untilHealthy(id: string, signal: AbortSignal): Promise<void> {
    await this.#watch.until(
      id,
      ({ state: { status, health } }) => {
        if (isDead(status)) throw new StartupFailure(failureText.exitedDuringHealthCheck, id);
        if (health === 'unhealthy') throw new StartupFailure(failureText.unhealthy, id);
        return health === 'healthy' ? true : undefined;
      },
      signal,
    );
  }

  /** One that has ended cannot come back: there is nothing to wait for then. */
  async #whileItRuns(id: string, signal: AbortSignal): Promise<void> {
    const judge = ({ state: { status } }: ContainerDetails, last: boolean): true | undefined => {
      if (isDead(status)) throw new StartupFailure(failureText.exitedDuringStartup, id);
      if (!last) return undefined;
      if (!isAlive(status)) throw new StartupFailure(failureText.exitedDuringStartup, id);
      return true;
    };
    try {
      await this.#watch.within(id, judge, signal, this.#verifyMs);
    } catch (error) {
      const canceled = signal.aborted && !(error instanceof StartupFailure);
      throw canceled ? new StartupFailure(failureText.verificationCanceled, id) : error;
    }
  }
}
