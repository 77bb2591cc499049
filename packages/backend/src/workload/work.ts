/** What leases need to have done, done with containers. */
import type { Containers } from '@berth/engine';
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { type Death, failureText, type Lease } from '../lease/index.ts';
import type {
  DeprovisionResult,
  DiagnoseResult,
  LeaseWork,
  ProvisionResult,
  Rediscovered,
  ReplaceResult,
} from '../leases/index.ts';
import type { LeaseClosing } from '../volumes/index.ts';
import type { Deployment } from './deployment.ts';
import { diagnosis } from './diagnosis.ts';
import { type Evidence, operationOf } from './evidence.ts';
import type { ContainerHandling } from './handling.ts';
import type { ContainerListing, LeaseContainer } from './listing.ts';
import type { TenantNetworks } from './networks.ts';
import type { Observation } from './observation.ts';
import { together } from './order.ts';
import type { Provisioning } from './provisioning.ts';
import type { Replacing } from './replacing.ts';
import type { Teardown } from './teardown.ts';
import { timeLimit } from './time-limit.ts';

export interface WorkContext {
  readonly containers: Pick<Containers, 'inspect' | 'logs'>;
  readonly provisioning: Provisioning;
  readonly replacing: Replacing;
  readonly observation: Observation;
  readonly rediscovery: { find(uuid: string): Promise<Rediscovered | undefined> };
  readonly listing: ContainerListing;
  readonly handling: ContainerHandling;
  readonly deployment: Deployment;
  readonly networks: TenantNetworks;
  readonly teardown: Teardown;
  readonly closing: LeaseClosing;
  readonly evidence: Evidence;
  readonly isolation: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly stopTimeoutMs: number;
  /** How many live leases the tenant has. */
  readonly leasesOf: (tenant: string) => number;
  readonly onClosed: () => void;
}

const placeOf = ({ service, index }: LeaseContainer): string => `${service}/${index}`;
const diagnoseMs = 30_000;

export class ContainerWork implements LeaseWork {
  readonly #context: WorkContext;

  constructor(context: WorkContext) {
    this.#context = context;
  }

  provision(lease: Lease, stop: AbortSignal): Promise<ProvisionResult> {
    return this.#context.provisioning.run(lease, stop);
  }

  replace(lease: Lease, stop: AbortSignal): Promise<ReplaceResult> {
    return this.#context.replacing.run(lease, stop);
  }

  confirmDeath(lease: Lease, suspect: Death): Promise<Death | undefined> {
    return this.#context.observation.confirmDeath(lease, suspect);
  }

  rediscover(uuid: string): Promise<Rediscovered | undefined> {
    return this.#context.rediscovery.find(uuid);
  }

  async tidy({ uuid, leftover }: Lease): Promise<void> {
    const { listing, handling, teardown } = this.#context;
    if (leftover === true)
      return await teardown.ofLease(uuid, { reason: 'provision_cleanup', stopGraceS: 0, stack: undefined });
    const { containers } = await listing.ofLease(uuid);
    const inPlace = new Set(containers.filter(({ setAside }) => !setAside).map(placeOf));
    // What stands nowhere else is the only thing left of its place: nothing to throw away.
    const left = containers.filter((one) => one.setAside && inPlace.has(placeOf(one)));
    await together(left, new AbortController().signal, ({ id }) => handling.remove(id));
  }

  findDeath(lease: Lease): Promise<Death | undefined> {
    return this.#context.observation.findDeath(lease);
  }

  async diagnose(lease: Lease, stop: AbortSignal): Promise<DiagnoseResult> {
    const { clock, containers, evidence } = this.#context;
    const death = operationOf(lease).death;
    using limit = timeLimit(clock, diagnoseMs, 'the diagnosis', stop);
    const gone = death === undefined || death.containerId === '';
    const known = gone
      ? 'the container is gone'
      : `exit_code=${death?.exitCode ?? 0}${death?.oomKilled === true ? ', oom_killed=true' : ''}`;
    try {
      const details =
        death === undefined
          ? undefined
          : await containers.inspect(death.containerId, { signal: limit.signal });
      const detail = details === undefined ? known : await diagnosis(containers, details, limit.signal);
      return { detail, logs: await evidence.logs(lease, limit.signal) };
    } catch (error) {
      if (stop.aborted) throw error;
      // Nobody else would bring the lease out of this state: what is known has to do.
      return { detail: known, logs: {} };
    }
  }

  async deprovision(lease: Lease): Promise<DeprovisionResult> {
    const { deployment, teardown, closing, networks, isolation, leasesOf, stopTimeoutMs, log, onClosed } =
      this.#context;
    const stack = deployment.stack(lease.uuid, lease.release);
    try {
      await teardown.ofLease(lease.uuid, {
        reason: 'deprovision',
        stopGraceS: Math.ceil(stopTimeoutMs / 1000),
        stack,
      });
    } catch (error) {
      const detail = `deprovision partially failed: ${errorText(error)}`;
      return { kind: 'failed', failure: { reason: 'CleanupFailed', message: failureText.cleanup, detail } };
    }
    const volumes = await closing.volumesOf(lease);
    if (volumes.kind === 'failed') {
      const detail = `volume cleanup failed: ${volumes.detail}`;
      return { kind: 'failed', failure: { reason: 'CleanupFailed', message: failureText.cleanup, detail } };
    }
    if (isolation)
      // The lease itself is still counted.
      await networks
        .release(lease.tenant, () => leasesOf(lease.tenant) > 1)
        .catch((error: unknown) =>
          log.warn('tenant network could not be removed', {
            lease_uuid: lease.uuid,
            error: errorText(error),
          }),
        );
    onClosed();
    if (volumes.kind === 'gone') return { kind: 'closed', retained: volumes.retained };
    const { detail } = volumes;
    log.error('MANUAL CLEANUP REQUIRED: volumes of a closed lease are left', {
      lease_uuid: lease.uuid,
      detail,
    });
    const failure = {
      reason: 'VolumeCleanupExhausted',
      message: failureText.volumeCleanup,
      detail,
    } as const;
    return { kind: 'exhausted', failure };
  }
}
