/** Makes records anew for kept volumes that the store does not know: from the copies beside the data, or from its labels. */
import { isoTime } from '@berth/service';
import { parseVolume, type VolumeName } from '../names/index.ts';
import type { RecordCopies } from '../retention/index.ts';
import { unknownKept } from '../retention/index.ts';
import type { RetainedItem, RetentionRecord, RetentionStore } from '../stores/index.ts';
import type { VolumeOwner, Volumes } from '../volumes/index.ts';

interface Recovered {
  readonly record: RetentionRecord;
  readonly from: 'copy' | 'labels';
}

export interface Recovery {
  readonly found: readonly Recovered[];
  /** Volumes of which nothing says whose they are. */
  readonly unknown: readonly VolumeName[];
}

/** Changes nothing. */
export async function findLost(
  store: RetentionStore,
  volumes: Pick<Volumes, 'list' | 'ownerOf'>,
  copies: RecordCopies,
  backend: string,
  nowMs: number,
): Promise<Recovery> {
  const lost = unknownKept(store, await volumes.list());
  const byLease = Map.groupBy(lost, (name) => parseVolume(name)?.lease ?? '');
  const found: Recovered[] = [];
  const unknown: VolumeName[] = [];
  for (const [lease, names] of byLease) {
    const copy = await copies.read(lease);
    const record =
      copy === undefined
        ? fromLabels(lease, names, await labelsOf(names, volumes, backend), nowMs)
        : active(copy, names);
    if (record === undefined) unknown.push(...names);
    else found.push({ record, from: copy === undefined ? 'labels' : 'copy' });
  }
  return { found, unknown };
}

/** Whatever was going on with it is over: its volumes lie there under their kept names. */
function active(copy: RetentionRecord, names: readonly VolumeName[]): RetentionRecord {
  const { new_lease_uuid: _, restoring_since: __, reaping_since: ___, ...rest } = copy;
  return { ...rest, status: 'active', retained_volume_names: [...names] };
}

/** What this backend has written on them. */
async function labelsOf(
  names: readonly VolumeName[],
  volumes: Pick<Volumes, 'ownerOf'>,
  backend: string,
): Promise<readonly VolumeOwner[]> {
  const labels = await Promise.all(names.map((name) => volumes.ownerOf(name).catch(() => undefined)));
  return labels.flatMap((label) => (label?.backend === backend ? [label] : []));
}

/** Without a manifest: the data is kept and counted, and its time begins now; to restore it, somebody has to add one. */
function fromLabels(
  lease: string,
  names: readonly VolumeName[],
  known: readonly VolumeOwner[],
  nowMs: number,
): RetentionRecord | undefined {
  const [first] = known;
  if (first === undefined || known.length < names.length) return undefined;
  const items = [...Map.groupBy(known, ({ service }) => service)].map(([service, of]): RetainedItem => {
    const [one = first] = of;
    return {
      sku: one.sku,
      quantity: Math.max(...of.map(({ index }) => index)) + 1,
      service_name: service,
      disk_mb: one.sizeMb,
    };
  });
  return {
    original_lease_uuid: lease,
    tenant: first.tenant,
    provider_uuid: first.provider,
    items,
    stack_manifest: null,
    callback_url: '',
    retained_volume_names: [...names],
    status: 'active',
    generation: 0,
    created_at: isoTime(nowMs),
  };
}
