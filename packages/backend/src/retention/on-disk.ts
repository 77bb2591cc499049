/** A lease of which there is no record any more, as its volumes tell it: each says for whom it was made. */
import { errorText } from '@berth/service/log';
import type { Lease, LeaseItem } from '../lease/index.ts';
import { allocationKey, parseVolume, type VolumeName } from '../names/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import type { VolumesPort } from './ports.ts';
import { diskMbOf, volumesOf } from './records.ts';

/** What is written on a volume, as far as it matters here. */
interface VolumeLabel {
  readonly lease: string;
  readonly tenant: string;
  readonly provider: string;
  readonly service: string;
  readonly index: number;
  readonly sku: string;
  readonly sizeMb: number;
  readonly createdAtMs: number;
}

export interface LabelledVolumes extends Pick<VolumesPort, 'kind' | 'list'> {
  /** Undefined when nothing was ever written on it; rejects when it cannot be read or understood. */
  ownerOf(name: VolumeName): Promise<VolumeLabel | undefined>;
  /** As far as a label of every version says it. */
  identityOf(name: VolumeName): Promise<Pick<VolumeLabel, 'tenant'> | undefined>;
}

export type OnDisk =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'lease'; readonly lease: Lease }
  /** There are volumes of that name, and it cannot be proven whose they are. */
  | { readonly kind: 'unproven'; readonly reason: string };

export interface OnDiskContext {
  readonly volumes: LabelledVolumes;
  readonly releases: {
    highestVersion(lease: string): number;
    latestActive(lease: string): { readonly version: number } | undefined;
  };
  readonly catalogue: SkuCatalogue;
}

/** Rejects when the volumes cannot be listed: that may be different the next time. */
export async function leaseOnDisk(uuid: string, context: OnDiskContext): Promise<OnDisk> {
  const names = volumesOf(await context.volumes.list(), uuid, 'live');
  const labels: VolumeLabel[] = [];
  for (const name of names) {
    const label = await labelOf(context.volumes, name);
    if (typeof label === 'string') return { kind: 'unproven', reason: `${name}: ${label}` };
    labels.push(label);
  }
  const [first] = labels;
  if (first === undefined) return { kind: 'nothing' };
  if (labels.some(({ tenant, provider }) => tenant !== first.tenant || provider !== first.provider))
    return { kind: 'unproven', reason: 'its volumes were made for several owners' };
  return { kind: 'lease', lease: leaseOf(uuid, first, labels, context) };
}

/** Why it proves nothing, or what it says. */
async function labelOf(volumes: LabelledVolumes, name: VolumeName): Promise<VolumeLabel | string> {
  try {
    const label = await volumes.ownerOf(name);
    if (label === undefined) return 'nothing is written on it';
    const { lease, service, index } = parseVolume(name) ?? {};
    const same = label.lease === lease && label.service === service && label.index === index;
    return same ? label : `it was made as ${label.service}/${label.index} of lease ${label.lease}`;
  } catch (error) {
    return `what is written on it cannot be read: ${errorText(error)}`;
  }
}

function leaseOf(
  uuid: string,
  { tenant, provider }: VolumeLabel,
  labels: readonly VolumeLabel[],
  { releases, catalogue }: OnDiskContext,
): Lease {
  const services = Map.groupBy(labels, ({ service }) => service);
  const items: readonly LeaseItem[] = [...services].map(([serviceName, mine]) => ({
    sku: mine[0]?.sku ?? '',
    quantity: Math.max(...mine.map(({ index }) => index + 1)),
    serviceName,
    customDomain: '',
  }));
  const allocations = labels.map(({ service, index, sku, sizeMb }) => ({
    key: allocationKey({ lease: uuid, service, index }),
    sku,
    cpuCores: 0,
    memoryMb: 0,
    // What a SKU without disk has is scratch, and counts for nothing.
    diskMb: diskMbOf(catalogue, sku) === 0 ? 0 : sizeMb,
  }));
  const active = releases.latestActive(uuid);
  return {
    uuid,
    tenant,
    provider,
    status: 'failed',
    createdAtMs: Math.min(...labels.map(({ createdAtMs }) => createdAtMs)),
    failCount: 0,
    callbackUrl: '',
    items,
    images: {},
    allocations,
    lastRelease: releases.highestVersion(uuid),
    ...(active !== undefined && { release: active.version }),
  };
}
