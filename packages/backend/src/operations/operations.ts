/** What the daemon can ask for. Everything is checked before anything changes; the lease itself decides when its turn comes. */
import type { Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { Lease, LeaseEvent, NewLease } from '../lease/index.ts';
import type { LeaseBook, LeaseRegistry } from '../leases/index.ts';
import { canonicalVolume, leaseIdProblem, parseVolume } from '../names/index.ts';
import { type Allocation, isDiskOnly, type ResourcePool } from '../placement/index.ts';
import type { LabelledVolumes } from '../retention/index.ts';
import type { ReleaseStore } from '../stores/index.ts';
import { type AdmissionRules, admit, allocationsOf, imagesOf } from './admission.ts';
import { closeLease } from './close.ts';
import { type DomainGate, domainChanges } from './domains.ts';
import { checkQuantities, normalizeItems, type RequestedItem } from './items.ts';
import { demandOwnTenant } from './own-tenant.ts';
import { type RestoreContext, type RestoreRequest, restore } from './restore.ts';

export interface ProvisionRequest {
  readonly leaseUuid: string;
  readonly tenant: string;
  readonly providerUuid: string;
  readonly items: readonly RequestedItem[];
  readonly callbackUrl: string;
  readonly payload: Uint8Array;
}

export interface ReplaceRequest {
  readonly leaseUuid: string;
  readonly callbackUrl: string;
}

export interface UpdateRequest extends ReplaceRequest {
  readonly payload: Uint8Array;
}

export interface OperationsContext {
  readonly rules: AdmissionRules;
  readonly book: LeaseBook;
  readonly registry: LeaseRegistry;
  readonly pool: ResourcePool;
  readonly releases: ReleaseStore;
  readonly gate: DomainGate;
  readonly kept: Pick<RestoreContext, 'store' | 'retention' | 'meter'> & {
    readonly volumes: RestoreContext['volumes'] & LabelledVolumes;
  };
  readonly log: Log;
}

const alreadyProvisioned = (): Error => errors.error('already_provisioned', 'lease already provisioned');
const notProvisioned = (): Error => errors.error('not_provisioned', 'not provisioned');
const invalidState = (operation: string): Error =>
  errors.error('invalid_state', `invalid state for ${operation}`);

/** A volume is found again by its name, and read back to its lease only from one form of id. */
function checkVolumeName(lease: string): void {
  if (parseVolume(canonicalVolume({ lease, service: 'app', index: 0 })) === undefined)
    throw errors.error('validation', 'invalid lease_uuid: a lease with data needs a UUID in lower case');
}

export class Operations {
  readonly #context: OperationsContext;

  constructor(context: OperationsContext) {
    this.#context = context;
  }

  async provision(request: ProvisionRequest, signal: AbortSignal): Promise<void> {
    const { book, registry, rules, pool, releases, kept, log } = this.#context;
    const { leaseUuid: uuid, tenant } = request;
    const badId = leaseIdProblem(uuid);
    if (badId !== undefined) throw errors.error('validation', `invalid lease_uuid: ${badId}`);
    checkQuantities(request.items);
    const items = normalizeItems(request.items);
    const before = book.get(uuid);
    if (before !== undefined && before.status !== 'failed') throw alreadyProvisioned();
    const { stack, flat } = admit(rules, request.payload, items);
    if (flat) log.warn('the flat manifest form is deprecated, use "services"', { lease_uuid: uuid });
    const allocations = allocationsOf(uuid, items, rules.catalogue);
    if (allocations.some(({ diskMb }) => diskMb > 0)) checkVolumeName(uuid);
    await demandOwnTenant({ book, volumes: kept.volumes, log }, uuid, tenant);
    const lease: NewLease = {
      uuid,
      tenant,
      provider: request.providerUuid,
      callbackUrl: request.callbackUrl,
      items,
      images: imagesOf(stack),
      allocations,
      lastRelease: releases.highestVersion(uuid),
    };
    const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
      if (current !== undefined && current.status !== 'failed' && current.status !== 'failing')
        throw alreadyProvisioned();
      pool.reserve(uuid, tenant, allocations);
      return { name: 'ProvisionRequested', operationId, lease, manifest: request.payload };
    };
    await registry.request(uuid, { prepare, refusal: alreadyProvisioned }, signal);
  }

  /** Resolves when the lease is gone; rejects when this attempt at it failed. */
  async deprovision(uuid: string, signal: AbortSignal): Promise<void> {
    await closeLease({ ...this.#context, ...this.#context.kept }, uuid, signal);
  }

  async restore(request: RestoreRequest, signal: AbortSignal): Promise<void> {
    await restore({ ...this.#context, ...this.#context.kept }, request, signal);
  }

  async restart(request: ReplaceRequest, signal: AbortSignal): Promise<void> {
    const lease = this.#replaceable(request.leaseUuid, 'restart');
    if (!this.#manifestIsKnown(lease)) throw invalidState('restart');
    await this.#restart(request, lease.items, 'restart', signal);
  }

  async update(request: UpdateRequest, signal: AbortSignal): Promise<void> {
    const { rules } = this.#context;
    const lease = this.#replaceable(request.leaseUuid, 'update');
    admit(rules, request.payload, lease.items);
    const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
      const now = this.#current(current, 'update');
      return {
        name: 'UpdateRequested',
        operationId,
        callbackUrl: request.callbackUrl,
        items: now.items,
        allocations: this.#hold(now, 'update'),
        manifest: request.payload,
      };
    };
    const refusal = () => invalidState('update');
    await this.#context.registry.request(request.leaseUuid, { prepare, refusal }, signal);
  }

  /**
   * Brings the domains of a running lease to what the chain says. Nothing is looked up for what is served already, a domain
   * that does not resolve yet changes nothing, and a lease that is not ready is left alone.
   */
  async reconcileDomains(uuid: string, wanted: readonly RequestedItem[], signal: AbortSignal): Promise<void> {
    const { book, gate, log } = this.#context;
    const lease = book.get(uuid);
    if (!gate.enabled || lease?.status !== 'ready') return;
    const ready = await gate.readyOf(gate.candidates(lease.items, wanted), signal);
    const current = book.get(uuid);
    if (current?.status !== 'ready') return;
    const changes = domainChanges(gate, current.items, wanted, ready);
    for (const { serviceName, customDomain, problem } of changes.refused)
      log.error('custom domain refused', {
        lease_uuid: uuid,
        service_name: serviceName,
        custom_domain: customDomain,
        reason: problem,
      });
    if (changes.items === undefined) return;
    if (!this.#manifestIsKnown(current)) throw invalidState('reconcile');
    log.info('custom domains changed, redeploying', { lease_uuid: uuid });
    await this.#restart({ leaseUuid: uuid, callbackUrl: '' }, changes.items, 'reconcile', signal);
  }

  async #restart(
    { leaseUuid, callbackUrl }: ReplaceRequest,
    items: Lease['items'],
    operation: 'restart' | 'reconcile',
    signal: AbortSignal,
  ): Promise<void> {
    const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
      const lease = this.#current(current, operation);
      // A reconcile decided on what it saw; if that has changed, it decides again at its next call.
      if (operation === 'reconcile' && lease.status !== 'ready') throw invalidState(operation);
      return {
        name: 'RestartRequested',
        operationId,
        callbackUrl,
        items: operation === 'reconcile' ? items : lease.items,
        allocations: this.#hold(lease, operation),
      };
    };
    const refusal = () => invalidState(operation);
    await this.#context.registry.request(leaseUuid, { prepare, refusal }, signal);
  }

  /** The quick answer; the lease itself decides again when its turn comes. */
  #replaceable(uuid: string, operation: string): Lease {
    const lease = this.#context.book.get(uuid);
    if (lease === undefined) throw notProvisioned();
    if (lease.status !== 'ready' && lease.status !== 'failed') throw invalidState(operation);
    return lease;
  }

  #current(lease: Lease | undefined, operation: string): Lease {
    if (lease === undefined) throw notProvisioned();
    if (lease.status !== 'ready' && lease.status !== 'failed' && lease.status !== 'failing')
      throw invalidState(operation);
    return lease;
  }

  /** What a failed provision gave back is taken again before its containers can come back. */
  #hold(lease: Lease, operation: string): readonly Allocation[] {
    const { pool, rules, log } = this.#context;
    if (lease.allocations.length > 0 && !lease.allocations.some(isDiskOnly)) return lease.allocations;
    try {
      const allocations = allocationsOf(lease.uuid, lease.items, rules.catalogue);
      pool.reserve(lease.uuid, lease.tenant, allocations);
      return allocations;
    } catch (error) {
      if (!errors.is(error)) throw error;
      // The route knows no other refusal.
      log.warn('no room to bring the lease back', {
        lease_uuid: lease.uuid,
        operation,
        error: error.message,
      });
      throw invalidState(operation);
    }
  }

  #manifestIsKnown(lease: Lease): boolean {
    return (
      lease.release !== undefined && this.#context.releases.manifest(lease.uuid, lease.release) !== undefined
    );
  }
}
