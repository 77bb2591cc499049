/** What can be said of a failure: in the words of the containers themselves, before they are removed. */
import type { Containers } from '@berth/engine';
import type { Clock } from '@berth/service';
import { errorText } from '@berth/service/log';
import type { Lease, Operation } from '../lease/index.ts';
import type { Logs } from '../leases/index.ts';
import { capturedLogs, diagnosis } from './diagnosis.ts';
import type { ContainerListing } from './listing.ts';
import { StartupFailure } from './startup.ts';
import { StepFailure } from './step-failure.ts';
import { timeLimit } from './time-limit.ts';

export interface EvidenceContext {
  readonly containers: Pick<Containers, 'inspect' | 'logs'>;
  readonly listing: ContainerListing;
  readonly clock: Clock;
}

/** Looking has a time of its own, whatever became of the work. */
const lookMs = 30_000;

export class Evidence {
  readonly #context: EvidenceContext;

  constructor(context: EvidenceContext) {
    this.#context = context;
  }

  /** What went wrong, for the operator; of a container that did not start, how it ended and what it printed last. */
  async detail(error: unknown): Promise<string> {
    const failed = error instanceof StepFailure ? error.cause : error;
    if (!(failed instanceof StartupFailure)) return errorText(error);
    const { containers, clock } = this.#context;
    using limit = timeLimit(clock, lookMs, 'the diagnosis');
    const text = await containers
      .inspect(failed.containerId, { signal: limit.signal })
      .then((details) => diagnosis(containers, details, limit.signal))
      .catch(errorText);
    return `${failed.text}: ${text}`;
  }

  /** The last lines of every container of the lease that is not on its way out. */
  async logs(lease: Pick<Lease, 'uuid'>, outer?: AbortSignal): Promise<Logs> {
    const { listing, containers, clock } = this.#context;
    using limit = timeLimit(clock, lookMs, 'the logs', outer);
    try {
      const { containers: all } = await listing.ofLease(lease.uuid);
      const current = all.filter(({ name }) => !name.endsWith('-prev'));
      return await capturedLogs(containers, current, limit.signal);
    } catch {
      return {};
    }
  }
}

/** What the lease is in the middle of. */
export function operationOf({ uuid, operation }: Lease): Operation {
  if (operation === undefined) throw new Error(`lease ${uuid} has no operation to work on`);
  return operation;
}
