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
import { type Volumes, volumesStay } from '../volumes/index.ts';
import type { Deployment } from './deployment.ts';
import { diagnosis } from './diagnosis.ts';
import { type Evidence, operationOf } from './evidence.ts';
import type { ContainerHandling } from './handling.ts';
import type { ContainerListing, LeaseContainer } from './listing.ts';
import type { TenantNetworks } from './networks.ts';
import type { Observation } from './observation.ts';
import { together } from './order.ts';
import type { Provisioning } from './provisioning.ts';
import { type Replacing, replaceFailure, replacingKind } from './replacing.ts';
import type { RestoreRun } from './restore-run.ts';
import { failureOf, StepFailure } from './step-failure.ts';
import type { Teardown } from './teardown.ts';
import { timeLimit } from './time-limit.ts';

/** What becomes of the data of a lease that is closed. */
export interface LeaseClosing {
  /** Before the first container is stopped. Throws when it cannot be written down. */
  begin(lease: Lease): void;
  /** When no container is left. May be repeated: it goes on with what it finds. */
  volumesOf(
    lease: Lease,
  ): Promise<
    | { readonly kind: 'gone'; readonly retained: boolean }
    | { readonly kind: 'failed' | 'exhausted'; readonly detail: string }
  >;
}

/** What an earlier close of a lease has put away becomes its own again. Rejects when it cannot: the lease must not start. */
export interface LeaseTakingBack {
  into(lease: Lease): Promise<void>;
}

export interface WorkContext {
  readonly containers: Pick<Containers, 'inspect' | 'logs'>;
  readonly provisioning: Provisioning;
  readonly replacing: Replacing;
  readonly restoreRun: RestoreRun;
  readonly observation: Observation;
  readonly rediscovery: { find(uuid: string): Promise<Rediscovered | undefined> };
  readonly listing: ContainerListing;
  readonly handling: ContainerHandling;
  readonly deployment: Deployment;
  readonly networks: TenantNetworks;
  readonly teardown: Teardown;
  readonly volumes: Pick<Volumes, 'ofLease'>;
  readonly closing: LeaseClosing;
  readonly takingBack: LeaseTakingBack;
  readonly evidence: Evidence;
  readonly isolation: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly stopTimeoutMs: number;
  /** How many leases the tenant has that are not being closed. */
  readonly openLeasesOf: (tenant: string) => number;
  readonly onClosed: () => void;
}

const placeOf = ({ service, index }: LeaseContainer): string => `${service}/${index}`;
const diagnoseMs = 30_000;

export class ContainerWork implements LeaseWork {
  readonly #context: WorkContext;

  constructor(context: WorkContext) {
    this.#context = context;
  }

  async provision(lease: Lease, stop: AbortSignal): Promise<ProvisionResult> {
    const lost = await this.#takeBack(lease);
    if (lost === undefined) return await this.#context.provisioning.run(lease, stop);
    return {
      kind: 'failed',
      failure: failureOf(lost),
      logs: {},
      left: false,
      stays: await this.staysOf(lease),
    };
  }

  async replace(lease: Lease, stop: AbortSignal): Promise<ReplaceResult> {
    const { restoreRun, replacing } = this.#context;
    if (lease.operation?.kind === 'restore') return await restoreRun.run(lease, stop);
    const lost = await this.#takeBack(lease);
    if (lost === undefined) return await replacing.run(lease, stop);
    return { kind: 'untouched', failure: replaceFailure(replacingKind(lease.operation), lost) };
  }

  /** Started on new volumes while its own are put away, the lease would be without its data. */
  async #takeBack(lease: Lease): Promise<StepFailure | undefined> {
    try {
      await this.#context.takingBack.into(lease);
      return undefined;
    } catch (error) {
      const cause = new Error(`its kept data could not be taken back: ${errorText(error)}`, { cause: error });
      return new StepFailure(failureText.volume, 'ContainerExited', cause);
    }
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

  staysOf(lease: Lease): Promise<readonly string[]> {
    return volumesStay(this.#context.volumes, lease);
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
    const { deployment, teardown, stopTimeoutMs, closing, log, onClosed } = this.#context;
    try {
      closing.begin(lease);
      await teardown.ofLease(lease.uuid, {
        reason: 'deprovision',
        stopGraceS: Math.ceil(stopTimeoutMs / 1000),
        stack: deployment.stack(lease.uuid, lease.release),
      });
    } catch (error) {
      return cleanupFailed(`deprovision partially failed: ${errorText(error)}`);
    }
    const closed = await closing.volumesOf(lease);
    if (closed.kind === 'failed') return cleanupFailed(`volume cleanup failed: ${closed.detail}`);
    await this.#releaseNetwork(lease);
    onClosed();
    if (closed.kind === 'gone') return { kind: 'closed', retained: closed.retained };
    log.error('MANUAL CLEANUP REQUIRED: volumes of a closed lease are left', {
      lease_uuid: lease.uuid,
      detail: closed.detail,
    });
    const failure = {
      reason: 'VolumeCleanupExhausted',
      message: failureText.volumeCleanup,
      detail: closed.detail,
    } as const;
    return { kind: 'exhausted', failure };
  }

  async #releaseNetwork({ uuid, tenant }: Lease): Promise<void> {
    const { networks, isolation, openLeasesOf, log } = this.#context;
    if (!isolation) return;
    // Of several that are closed at the same time the last one to get here takes the network along.
    await networks
      .release(tenant, () => openLeasesOf(tenant) > 0)
      .catch((error: unknown) =>
        log.warn('tenant network could not be removed', { lease_uuid: uuid, error: errorText(error) }),
      );
  }
}

const cleanupFailed = (detail: string): DeprovisionResult => ({
  kind: 'failed',
  failure: { reason: 'CleanupFailed', message: failureText.cleanup, detail },
});
