/** A lease comes into being: images, network, containers, verification; and nothing is left of it when that fails. */
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { failureText, type Lease, type LeaseItem, stagedRelease } from '../lease/index.ts';
import type { ProvisionResult } from '../leases/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { containerName } from '../names/index.ts';
import type { DomainGate } from '../operations/index.ts';
import { type VolumeDoor, type Volumes, volumesStay } from '../volumes/index.ts';
import type { Deployment } from './deployment.ts';
import { type Evidence, operationOf } from './evidence.ts';
import type { VolumesWork } from './instance-volumes.ts';
import { failureOf, step } from './step-failure.ts';
import type { Teardown } from './teardown.ts';
import { timeLimit } from './time-limit.ts';

export interface ProvisioningContext {
  readonly deployment: Deployment;
  readonly teardown: Teardown;
  readonly gate: DomainGate;
  readonly door: VolumeDoor;
  readonly volumes: Pick<Volumes, 'ofLease'>;
  readonly evidence: Evidence;
  readonly clock: Clock;
  readonly log: Log;
  readonly limitMs: number;
  readonly onEnd: (outcome: 'success' | 'failure', seconds: number) => void;
}

const cleanupGraceS = 10;

export class Provisioning {
  readonly #context: ProvisioningContext;

  constructor(context: ProvisioningContext) {
    this.#context = context;
  }

  async run(lease: Lease, stop: AbortSignal): Promise<ProvisionResult> {
    const { clock, limitMs, onEnd } = this.#context;
    const began = clock.monotonic();
    using limit = timeLimit(clock, limitMs, 'the provision', stop);
    const volumes: VolumesWork = { created: [], replacing: undefined };
    try {
      const items = await this.#deploy(lease, volumes, limit.signal);
      onEnd('success', (clock.monotonic() - began) / 1000);
      return { kind: 'provisioned', items };
    } catch (error) {
      if (stop.aborted) throw error;
      const result = await this.#undoProvision(lease, volumes, error);
      onEnd('failure', (clock.monotonic() - began) / 1000);
      return result;
    }
  }

  async #deploy(lease: Lease, volumes: VolumesWork, signal: AbortSignal): Promise<readonly LeaseItem[]> {
    const { deployment, gate, log } = this.#context;
    const operation = operationOf(lease);
    const stack = deployment.stack(lease.uuid, stagedRelease);
    if (stack === undefined) throw new Error(`lease ${lease.uuid} has no manifest to provision`);
    await step(failureText.create, () => this.#clear(lease, stack));
    await deployment.pull(stack, signal);
    const facts = await deployment.inspect(stack, signal);
    const { items, deferred } = await step(failureText.create, () =>
      gate.withoutUnready(lease.items, signal),
    );
    for (const { serviceName, customDomain } of deferred)
      log.info('custom domain does not resolve yet, left for later', {
        lease_uuid: lease.uuid,
        service_name: serviceName,
        custom_domain: customDomain,
      });
    const instances = deployment.instances(lease, items, stack);
    const binds = await deployment.volumes(lease, instances, facts, volumes, signal);
    const planned = await deployment.plan(lease, operation, instances, facts, binds);
    const made = await deployment.create(planned, containerName, signal);
    await deployment.start(stack, made, signal);
    await deployment.verify(made, signal);
    return items;
  }

  /** What an earlier attempt, or an earlier life, of the lease has left. */
  async #clear(lease: Lease, stack: StackManifest): Promise<void> {
    const { teardown } = this.#context;
    await teardown.ofLease(lease.uuid, { reason: 'provision_cleanup', stopGraceS: cleanupGraceS, stack });
  }

  async #undoProvision(lease: Lease, { created }: VolumesWork, error: unknown): Promise<ProvisionResult> {
    const { deployment, door, volumes, evidence, log } = this.#context;
    const failure = failureOf(error, await evidence.detail(error));
    const logs = await evidence.logs(lease);
    let left = false;
    // In doubt all of them.
    let stays: readonly string[] = lease.allocations.map(({ key }) => key);
    try {
      const stack = deployment.stack(lease.uuid, stagedRelease);
      if (stack !== undefined) await this.#clear(lease, stack);
      // Only now that nothing can write there any more; what was there before this attempt stays.
      left = (await door.operation(lease.uuid).destroy('provision_cleanup', created)).leftOnDisk;
      stays = await volumesStay(volumes, lease);
    } catch (problem) {
      left = true;
      log.error('containers of a failed provision are left, to be removed later', {
        lease_uuid: lease.uuid,
        error: errorText(problem),
      });
    }
    return { kind: 'failed', failure, logs, left, stays };
  }
}
