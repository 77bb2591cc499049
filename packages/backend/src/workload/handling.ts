/** Makes, starts and removes single containers, each in a way that can be repeated after a lost answer or a crash. */
import { type Containers, engineErrors, mayHaveHappened } from '@berth/engine';
import { Backoff, type Clock, retry, sleep } from '@berth/service';
import { errors } from '../errors.ts';
import { label } from '../names/index.ts';
import type { ContainerPlan } from '../stack/index.ts';

export interface HandlingOptions {
  readonly containers: Containers;
  readonly clock: Clock;
  readonly createTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly meter: {
    /** The engine had done it already. */
    repeated(op: 'create' | 'remove', reason: 'already_exists' | 'in_progress' | 'not_found'): void;
    removalNotSeen(): void;
  };
}

/** A removal that somebody else has begun is looked at this often, and for this long. */
const removalPollMs = 200;
const removalWaitMs = 5000;

/** One whose outcome is not known is asked for again, so often in all. */
const removalAttempts = 3;

/** A port that is taken when the container starts is another one the next time. */
const portAttempts = 3;
const portPauseMs = 500;

/** Who a container has to belong to, to be taken for the one that we were about to make. */
const identity = [
  label.managed,
  label.backendName,
  label.lease,
  label.serviceName,
  label.instanceIndex,
  label.operation,
];

export class ContainerHandling {
  readonly #options: HandlingOptions;

  constructor(options: HandlingOptions) {
    this.#options = options;
  }

  /** The id of the container, made now or by an earlier attempt of the same operation. `name` may differ from the plan's. */
  async create({ request }: ContainerPlan, name: string): Promise<string> {
    const { containers, createTimeoutMs: timeoutMs, meter } = this.#options;
    try {
      return (await containers.create(request, { name, timeoutMs })).id;
    } catch (error) {
      const taken = engineErrors.is(error, 'ENGINE_NAME_IN_USE') || engineErrors.is(error, 'ENGINE_CONFLICT');
      if (!taken && !mayHaveHappened(error)) throw error;
      const id = await this.#existing(name, request.Labels ?? {}, error);
      meter.repeated('create', 'already_exists');
      return id;
    }
  }

  /** What has the name, if it is ours and of this operation; else the reason why there is nothing. */
  async #existing(name: string, labels: Readonly<Record<string, string>>, cause: unknown): Promise<string> {
    const { containers, createTimeoutMs: timeoutMs } = this.#options;
    const found = await containers.inspect(name, { timeoutMs }).catch((error: unknown) => {
      throw engineErrors.is(error, 'ENGINE_NOT_FOUND') ? cause : error;
    });
    const differs = identity.find((key) => found.labels[key] !== labels[key]);
    if (differs !== undefined)
      throw errors.error(
        'name_taken',
        `the name ${name} belongs to another container: its label ${differs} differs`,
        {
          cause,
        },
      );
    if (found.state.status === 'removing' || found.state.status === 'dead') throw cause;
    return found.id;
  }

  /** Starts it. Host ports are chosen now; when one was taken in between, others are tried. */
  async start(id: string): Promise<void> {
    const { containers, clock, startTimeoutMs: timeoutMs } = this.#options;
    await retry(
      {
        clock,
        backoff: new Backoff({ initialMs: portPauseMs, maxMs: portPauseMs }),
        attempts: portAttempts,
        retryable: (error) => engineErrors.is(error, 'ENGINE_PORT_IN_USE'),
      },
      async () => {
        try {
          await containers.start(id, { timeoutMs });
        } catch (error) {
          // An answer may have been lost: what counts is whether it runs.
          if (!mayHaveHappened(error) || !(await this.#hasStarted(id))) throw error;
        }
      },
    );
  }

  async #hasStarted(id: string): Promise<boolean> {
    const { containers, startTimeoutMs: timeoutMs } = this.#options;
    const { state } = await containers.inspect(id, { timeoutMs });
    return state.startedAt !== undefined;
  }

  /** Stops it within its grace; one that does not run, or is not there, is stopped. */
  async stop(id: string, graceS: number | undefined): Promise<void> {
    const { containers } = this.#options;
    try {
      await containers.stop(id, graceS === undefined ? {} : { graceS });
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return;
      // An answer may have been lost: what counts is whether it still runs.
      if (!mayHaveHappened(error) || (await containers.inspect(id)).state.running) throw error;
    }
  }

  /** Gives it another name; one that has it already keeps it. */
  async rename(id: string, name: string): Promise<void> {
    const { containers } = this.#options;
    try {
      await containers.rename(id, name);
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND') || (await containers.inspect(id)).name !== name)
        throw error;
    }
  }

  /** Removes it with its anonymous volumes. Resolves when it is gone, not when that has begun. */
  async remove(id: string): Promise<void> {
    const { containers, clock, meter } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await containers.remove(id, { force: true, volumes: true });
      } catch (error) {
        if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return meter.repeated('remove', 'not_found');
        if (engineErrors.is(error, 'ENGINE_REMOVAL_IN_PROGRESS')) {
          meter.repeated('remove', 'in_progress');
          return await this.#awaitAbsence(id, error);
        }
        // It may be gone, on its way, or never have been asked for: asked again, the engine says which.
        if (!mayHaveHappened(error) || attempt >= removalAttempts) throw error;
        await sleep(clock, removalPollMs);
      }
    }
  }

  async #awaitAbsence(id: string, cause: unknown): Promise<void> {
    const { containers, clock, meter } = this.#options;
    const until = clock.monotonic() + removalWaitMs;
    for (;;) {
      if (await isAbsent(containers, id)) return;
      if (clock.monotonic() >= until) break;
      await sleep(clock, removalPollMs);
    }
    meter.removalNotSeen();
    throw cause;
  }
}

async function isAbsent(containers: Containers, id: string): Promise<boolean> {
  try {
    await containers.inspect(id);
    return false;
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return true;
    throw error;
  }
}
