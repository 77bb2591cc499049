/** From a lease, or the close of one, to the record of its kept data. Pure. */
import type { Lease, LeaseItem } from '../lease/index.ts';
import { parseStoredManifest, type StackManifest } from '../manifest/index.ts';
import { adoptedForm, parseVolume, type VolumeName, volumeName } from '../names/index.ts';
import { profileOf, type SkuCatalogue } from '../placement/index.ts';
import type { CloseIntent, RetainedItem, RetentionRecord } from '../stores/index.ts';

/** Disk of one instance of a SKU; undefined when nobody knows it any more. */
export function diskMbOf(catalogue: SkuCatalogue, sku: string): number | undefined {
  try {
    return profileOf(catalogue, sku).diskMb;
  } catch {
    return undefined;
  }
}

/** With the size that each instance has: what it was given counts before what its SKU says now. */
export function retainedItems(
  lease: Pick<Lease, 'items' | 'allocations'>,
  catalogue: SkuCatalogue,
): RetainedItem[] {
  const given = new Map(lease.allocations.map(({ sku, diskMb }) => [sku, diskMb]));
  return lease.items.map(({ sku, quantity, serviceName, customDomain }) => {
    const diskMb = given.get(sku) ?? diskMbOf(catalogue, sku);
    return {
      sku,
      quantity,
      service_name: serviceName,
      ...(customDomain !== '' && { custom_domain: customDomain }),
      ...(diskMb !== undefined && { disk_mb: diskMb }),
    };
  });
}

export const leaseItems = (items: readonly RetainedItem[]): readonly LeaseItem[] =>
  items.map(({ sku, quantity, service_name: serviceName = '', custom_domain: customDomain = '' }) => ({
    sku,
    quantity,
    serviceName,
    customDomain,
  }));

/** The manifest as a record has it; null when it is none. */
export function manifestObject(bytes: Uint8Array | undefined): Record<string, unknown> | null {
  if (bytes === undefined) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

export const manifestBytes = (manifest: object): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(manifest));

/** Undefined when there is none, or none that can be run. */
export function stackOf(manifest: object | null | undefined): StackManifest | undefined {
  if (manifest === null || manifest === undefined) return undefined;
  try {
    return parseStoredManifest(manifestBytes(manifest)).stack;
  } catch {
    return undefined;
  }
}

/** The items with as many instances as there are volumes of them. */
export function durableItems(
  items: readonly RetainedItem[],
  volumes: readonly VolumeName[],
): readonly RetainedItem[] {
  const kept = new Map<string, number>();
  for (const name of new Set(volumes)) {
    const service = parseVolume(name)?.service ?? '';
    kept.set(service, (kept.get(service) ?? 0) + 1);
  }
  return items.map((item) => ({
    ...item,
    quantity: Math.min(item.quantity, kept.get(item.service_name ?? '') ?? 0),
  }));
}

export function recordOf(
  intent: CloseIntent,
  names: readonly VolumeName[],
  partition: string,
): RetentionRecord {
  return {
    original_lease_uuid: intent.lease_uuid,
    tenant: intent.tenant,
    ...(partition !== '' && { partition }),
    provider_uuid: intent.provider_uuid,
    items: intent.items,
    stack_manifest: intent.stack_manifest,
    callback_url: intent.callback_url,
    retained_volume_names: [...names],
    status: 'active',
    generation: 0,
    created_at: intent.closed_at,
  };
}

/** How much is abandoned; it says nothing of what may be destroyed. */
export const tombstoneOf = (intent: CloseIntent): RetentionRecord => ({
  ...recordOf(intent, [], ''),
  status: 'reaping',
});

/** A kept volume, and what it is called once the new lease has it. */
export interface Adoption {
  readonly kept: VolumeName;
  readonly adopted: VolumeName;
}

/** What a record names that its own lease can have kept. Whatever else stands in it is not its to move, or nobody's. */
export function ownVolumes({
  retained_volume_names: names,
  original_lease_uuid: lease,
}: Pick<RetentionRecord, 'retained_volume_names' | 'original_lease_uuid'>): readonly VolumeName[] {
  return names.flatMap((written) => {
    const parsed = parseVolume(written);
    return parsed?.retained === true && parsed.lease === lease ? [volumeName(written)] : [];
  });
}

export const adoptions = (
  record: Pick<RetentionRecord, 'retained_volume_names' | 'original_lease_uuid'>,
  newLease: string,
): readonly Adoption[] => ownVolumes(record).map((kept) => ({ kept, adopted: adoptedForm(kept, newLease) }));

/** The size that a kept volume has; 0 when the record does not say. */
export const keptDiskMb = ({ items }: RetentionRecord, name: VolumeName): number =>
  items.find(({ service_name: service = '' }) => service === parseVolume(name)?.service)?.disk_mb ?? 0;

/** The volumes of a lease in a listing, in one form or both. */
export function volumesOf(
  listing: readonly VolumeName[],
  lease: string,
  form: 'live' | 'retained' | 'both',
): readonly VolumeName[] {
  return listing.filter((name) => {
    const parsed = parseVolume(name);
    return parsed?.lease === lease && (form === 'both' || parsed.retained === (form === 'retained'));
  });
}
