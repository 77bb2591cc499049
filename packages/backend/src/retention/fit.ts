/** Does kept data fit into the smaller volumes that a restore asks for? Measured: a guess could lose the end of a file. */
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { LeaseItem } from '../lease/index.ts';
import { parseVolume } from '../names/index.ts';
import { profileOf, type SkuCatalogue } from '../placement/index.ts';
import type { RetentionRecord } from '../stores/index.ts';
import type { DemoteRefusal, RetentionMeter, VolumesPort } from './ports.ts';
import { adoptions, diskMbOf } from './records.ts';

export interface FitContext {
  readonly volumes: Pick<VolumesPort, 'kind' | 'usage'>;
  readonly catalogue: SkuCatalogue;
  readonly meter: Pick<RetentionMeter, 'demoteRefused'>;
  readonly log: Log;
}

const mib = 1024 * 1024;

/** Rejects with `demote_exceeds_tier` unless everything is known to fit. Nothing is changed. */
export async function demandFit(
  context: FitContext,
  record: RetentionRecord,
  items: readonly LeaseItem[],
): Promise<void> {
  const kept = adoptions(record, record.original_lease_uuid).map(({ kept: name }) => name);
  for (const { serviceName, sku } of items) {
    const { diskMb } = profileOf(context.catalogue, sku);
    if (diskMb >= largestOld(context.catalogue, record, serviceName)) continue;
    for (const name of kept.filter((one) => parseVolume(one)?.service === serviceName)) {
      if (diskMb === 0)
        throw refused(context, 'ephemeral_tier', serviceName, 'the new tier has no disk for its data');
      const bytes = await measured(context, serviceName, name);
      if (bytes > diskMb * mib)
        throw refused(
          context,
          'measured_exceeds',
          serviceName,
          `${bytes} bytes used, tier allows ${diskMb * mib}`,
        );
    }
  }
}

/** The most that a volume of a service had; not known: more than anything. */
function largestOld(catalogue: SkuCatalogue, { items }: RetentionRecord, service: string): number {
  const sizes = items
    .filter(({ service_name: name = '' }) => name === service)
    .map(({ disk_mb: diskMb, sku }) => diskMb ?? diskMbOf(catalogue, sku) ?? Number.POSITIVE_INFINITY);
  return Math.max(0, ...sizes);
}

async function measured(
  context: FitContext,
  service: string,
  name: Parameters<VolumesPort['usage']>[0],
): Promise<number> {
  const { volumes, log } = context;
  if (volumes.kind === 'noop')
    throw refused(context, 'unmeasurable_backend', service, 'its data cannot be measured');
  try {
    return await volumes.usage(name);
  } catch (error) {
    log.warn('kept data could not be measured', { volume: name, error: errorText(error) });
    throw refused(context, 'unmeasurable_read_error', service, 'its data could not be measured');
  }
}

function refused({ volumes, meter }: FitContext, reason: DemoteRefusal, service: string, why: string): Error {
  meter.demoteRefused(volumes.kind, reason);
  return errors.error('demote_exceeds_tier', `demote exceeds tier: service "${service}": ${why}`);
}
