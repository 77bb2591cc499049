/** A lease as its containers tell it: when its record is lost, this is what is left. Pure. */
import { errors } from '../errors.ts';
import { failureText, type Lease, type LeaseItem, type LeaseStatus } from '../lease/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { allocationsOf, imagesOf } from '../operations/index.ts';
import { profileOf, type SkuCatalogue } from '../placement/index.ts';
import { isAlive, isDead, type LeaseContainer } from './listing.ts';

/** What the release history knows of the lease. */
export interface KnownRelease {
  readonly version: number;
  readonly stack: StackManifest;
}

export interface RebuildContext {
  readonly catalogue: SkuCatalogue;
  readonly release: KnownRelease | undefined;
  readonly lastRelease: number;
  readonly nowMs: number;
}

/** Why a container cannot be part of a lease, or undefined if it can. */
export function unusable(container: LeaseContainer, catalogue: SkuCatalogue): string | undefined {
  if (container.lease === '') return 'it has no lease';
  if (container.sku === '') return 'it has no SKU';
  try {
    profileOf(catalogue, container.sku);
    return undefined;
  } catch (error) {
    if (errors.is(error, 'unknown_sku')) return error.message;
    throw error;
  }
}

/** The lease of these containers, which are all of one lease and in its places. Undefined when there are none. */
export function rebuiltLease(
  containers: readonly LeaseContainer[],
  context: RebuildContext,
): Lease | undefined {
  const { catalogue, release, lastRelease, nowMs } = context;
  const newest = containers.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0];
  if (newest === undefined) return undefined;
  const items = itemsOf(containers);
  const failCount = Math.max(...containers.map((one) => one.failCount));
  const status = statusOf(containers, items);
  const failed = status === 'failed';
  return {
    uuid: newest.lease,
    tenant: newest.tenant,
    provider: newest.provider,
    status,
    createdAtMs: Math.min(...containers.map((one) => one.createdAtMs)) || nowMs,
    failCount: failed ? failCount + 1 : failCount,
    callbackUrl: newest.callbackUrl,
    items,
    images: release === undefined ? {} : imagesOf(release.stack),
    allocations: allocationsOf(newest.lease, items, catalogue),
    lastRelease,
    ...(release !== undefined && { release: release.version }),
    ...(failed && {
      failure: {
        reason: 'ContainerExited',
        message: failureText.exitedUnexpectedly,
        detail: `${failureText.exitedUnexpectedly}: found so at start`,
      } as const,
    }),
  };
}

/** One item a service. What the containers say of the quantity counts, and never less than what there is. */
function itemsOf(containers: readonly LeaseContainer[]): readonly LeaseItem[] {
  const services = [...new Set(containers.map(({ service }) => service))].sort();
  return services.flatMap((serviceName) => {
    const mine = containers.filter(({ service }) => service === serviceName);
    const [first] = mine;
    if (first === undefined) return [];
    const quantity = Math.max(
      ...mine.map((one) => one.quantity),
      ...mine.map(({ index }) => index + 1),
      mine.length,
    );
    const customDomain = mine.map((one) => one.customDomain).find((domain) => domain !== '') ?? '';
    return [{ sku: first.sku, quantity, serviceName, customDomain }];
  });
}

/** The gravest of all: failed, then unknown, then ready. One that was made and not started has nobody who would start it. */
function statusOf(containers: readonly LeaseContainer[], items: readonly LeaseItem[]): LeaseStatus {
  const expected = items.reduce((sum, { quantity }) => sum + quantity, 0);
  if (containers.length < expected) return 'failed';
  const states = containers.map(({ status }) => status);
  if (states.some((status) => isDead(status) || status === 'created' || status === 'restarting'))
    return 'failed';
  return states.every(isAlive) ? 'ready' : 'unknown';
}

/** Was the lease in the middle of coming into being, with nobody left to finish it? Its caller still waits. */
export const wasUnfinished = (containers: readonly LeaseContainer[]): boolean =>
  containers.some(({ status }) => status === 'created');
