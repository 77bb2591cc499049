/** Begins a lease with the kept data of a closed one. What is wrong is found before anything changes, in a fixed order. */
import type { Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { Lease, LeaseEvent, LeaseItem } from '../lease/index.ts';
import type { LeaseBook, LeaseRegistry } from '../leases/index.ts';
import type { StackManifest } from '../manifest/index.ts';
import { leaseIdProblem } from '../names/index.ts';
import { profileOf, type ResourcePool } from '../placement/index.ts';
import {
  demandFit,
  leaseItems,
  manifestBytes,
  type Retention,
  type RetentionMeter,
  stackOf,
  type VolumesPort,
} from '../retention/index.ts';
import {
  footprintMb,
  type ReleaseStore,
  type RetentionRecord,
  type RetentionStore,
} from '../stores/index.ts';
import { type AdmissionRules, allocationsOf, checkImages, imagesOf } from './admission.ts';
import { checkQuantities, normalizeItems, type RequestedItem } from './items.ts';

export interface RestoreRequest {
  readonly leaseUuid: string;
  readonly fromLeaseUuid: string;
  readonly tenant: string;
  readonly providerUuid: string;
  readonly items: readonly RequestedItem[];
  readonly callbackUrl: string;
}

export interface RestoreContext {
  readonly rules: AdmissionRules;
  readonly book: LeaseBook;
  readonly registry: LeaseRegistry;
  readonly pool: ResourcePool;
  readonly releases: Pick<ReleaseStore, 'highestVersion'>;
  readonly store: RetentionStore;
  readonly retention: Pick<Retention, 'restoring'>;
  readonly volumes: Pick<VolumesPort, 'kind' | 'usage'>;
  readonly meter: Pick<RetentionMeter, 'demoteRefused'>;
  readonly log: Log;
}

interface Restorable {
  readonly record: RetentionRecord;
  readonly items: readonly LeaseItem[];
  readonly stack: StackManifest;
  readonly manifest: Uint8Array;
}

const alreadyProvisioned = (): Error => errors.error('already_provisioned', 'lease already provisioned');
/** Once something has begun, it is brought to an end: whoever asked may leave, the data may not be left in between. */
const never = new AbortController().signal;

export async function restore(
  context: RestoreContext,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<void> {
  const restorable = await check(context, request);
  const { leaseUuid: uuid, fromLeaseUuid: original } = request;
  const { book, store } = context;
  // An id that has data of its own has lived already: its names are taken.
  if (book.get(uuid) !== undefined || store.kept(uuid) !== undefined || book.droppedDiskMb.has(uuid))
    throw alreadyProvisioned();
  signal.throwIfAborted();
  const operationId = await reserve(context, request, restorable);
  try {
    await context.retention.restoring.takeOver(original, uuid, () => handOver(context, uuid, operationId));
  } catch (error) {
    const event: LeaseEvent = { name: 'RestoreAbandoned', operationId };
    await context.registry.handled(uuid, { kind: 'outcome', event, logs: {} });
    throw error;
  }
}

async function check(context: RestoreContext, request: RestoreRequest): Promise<Restorable> {
  const { rules, store } = context;
  const badId = leaseIdProblem(request.leaseUuid);
  if (badId !== undefined) throw errors.error('validation', `invalid lease_uuid: ${badId}`);
  const record = store.get(request.fromLeaseUuid);
  // A stranger learns nothing, not even that there is something.
  if (record === undefined || record.tenant !== request.tenant)
    throw errors.error('not_retained', 'no retained data for lease');
  checkQuantities(request.items);
  const items = normalizeItems(request.items);
  checkShape(record, items);
  if (request.providerUuid !== '' && request.providerUuid !== record.provider_uuid)
    throw errors.error('validation', 'provider_uuid differs from that of the closed lease');
  const stack = stackOf(record.stack_manifest);
  const manifest = record.stack_manifest;
  if (stack === undefined || manifest === null || manifest === undefined || record.items.length === 0)
    throw errors.error(
      'validation',
      'the record of the closed lease is damaged: it has no manifest or no items',
    );
  for (const { sku } of items) profileOf(rules.catalogue, sku);
  await demandFit({ ...context, catalogue: rules.catalogue }, record, items);
  checkImages(rules, stack);
  return { record, items, stack, manifest: manifestBytes(manifest) };
}

/** The same services, each with as many instances as it had. */
function checkShape({ items: kept }: RetentionRecord, wanted: readonly LeaseItem[]): void {
  const had = quantities(leaseItems(kept).map(namedLikeFlat(kept.length)));
  const wants = quantities(wanted);
  for (const service of new Set([...had.keys(), ...wants.keys()])) {
    const [before = 0, now = 0] = [had.get(service), wants.get(service)];
    if (before !== now)
      throw errors.error(
        'validation',
        `service "${service}" had ${before} instances in the closed lease, ${now} are asked for`,
      );
  }
}

const namedLikeFlat = (count: number) => (item: LeaseItem) =>
  count === 1 && item.serviceName === '' ? { ...item, serviceName: 'app' } : item;

function quantities(items: readonly LeaseItem[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { serviceName, quantity } of items)
    sums.set(serviceName, (sums.get(serviceName) ?? 0) + quantity);
  return sums;
}

/** The new lease exists from here on, and has its room; resolves with the id of its operation. */
async function reserve(
  { book, registry, pool, rules, releases }: RestoreContext,
  { leaseUuid: uuid, callbackUrl }: RestoreRequest,
  { record, items, stack, manifest }: Restorable,
): Promise<string> {
  const allocations = allocationsOf(uuid, items, rules.catalogue);
  let begun = '';
  const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
    if (current !== undefined || book.get(uuid) !== undefined) throw alreadyProvisioned();
    try {
      pool.reserveRestored(uuid, record.tenant, allocations, footprintMb(record.items));
    } catch (error) {
      throw errors.is(error, 'insufficient_resources')
        ? errors.error('insufficient_resources', 'insufficient resources for restore', { cause: error })
        : error;
    }
    begun = operationId;
    const lease = {
      uuid,
      tenant: record.tenant,
      provider: record.provider_uuid,
      callbackUrl,
      items,
      images: imagesOf(stack),
      allocations,
      lastRelease: releases.highestVersion(uuid),
    };
    return { name: 'RestoreReserved', operationId, lease, manifest };
  };
  await registry.request(uuid, { prepare, refusal: alreadyProvisioned }, never);
  return begun;
}

async function handOver({ registry }: RestoreContext, uuid: string, operationId: string): Promise<void> {
  await registry.request(
    uuid,
    {
      prepare: () => ({ name: 'RestoreRequested', operationId }),
      refusal: () => errors.error('invalid_state', 'invalid state for restore'),
    },
    never,
  );
}
