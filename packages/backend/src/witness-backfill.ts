/**
 * Volumes and records that an earlier program has left have no second witness: no label on the volume, no copy of the record beside
 * it. They get both, once, from what the stores say.
 */
import { errorText, type Log } from '@berth/service/log';
import type { Config } from './config/index.ts';
import type { LeaseBook } from './leases/index.ts';
import { allocationKey, canonicalVolume, parseVolume } from './names/index.ts';
import { keptQuotas, recordCopies } from './retention/index.ts';
import { createdAtMs, type ReleaseStore, type RetentionStore, witnessesFact } from './stores/index.ts';
import { backfillLabels, type KnownOwner, type Volumes } from './volumes/index.ts';

export interface WitnessBackfillContext {
  readonly config: Pick<Config, 'name' | 'containerTmpfsSizeMb'>;
  readonly volumes: Volumes;
  readonly book: LeaseBook;
  readonly releases: ReleaseStore;
  readonly retention: RetentionStore;
  readonly log: Log;
}

export async function backfillWitnesses(context: WitnessBackfillContext): Promise<void> {
  const { volumes, releases, retention, log } = context;
  if (releases.fact(witnessesFact) === 'written') return;
  try {
    const labelled = await backfillLabels({ volumes, log }, [...liveOwners(context), ...keptOwners(context)]);
    const copies = recordCopies(volumes.root);
    for (const { key, record } of retention.withStatus('active'))
      if (record !== undefined && (await copies.read(key)) === undefined) await copies.keep(record);
    if (labelled) releases.setFact(witnessesFact, 'written');
  } catch (error) {
    log.warn('volumes and records of earlier times have no second witness yet', { error: errorText(error) });
  }
}

function* liveOwners({ config, book }: WitnessBackfillContext): Generator<KnownOwner> {
  for (const { uuid: lease, tenant, provider, createdAtMs: madeMs, items, allocations } of book.values()) {
    const reserved = new Map(allocations.map(({ key, diskMb }) => [key, diskMb]));
    for (const { serviceName: service, sku, quantity } of items)
      for (let index = 0; index < quantity; index++) {
        const instance = { lease, service, index };
        const sizeMb = reserved.get(allocationKey(instance)) || config.containerTmpfsSizeMb;
        const owner = {
          backend: config.name,
          tenant,
          provider,
          sku,
          sizeMb,
          createdAtMs: madeMs,
          ...instance,
        };
        yield { name: canonicalVolume(instance), owner };
      }
  }
}

function* keptOwners({ config, retention }: WitnessBackfillContext): Generator<KnownOwner> {
  for (const { name, sizeMb } of keptQuotas(retention)) {
    const { lease = '', service = '', index = 0 } = parseVolume(name) ?? {};
    const record = retention.kept(lease)?.record;
    const sku = record?.items.find(({ service_name: one = '' }) => one === service)?.sku;
    if (record === undefined || sku === undefined) continue;
    const { tenant, provider_uuid: provider } = record;
    const place = { backend: config.name, lease, tenant, provider, service, index };
    yield { name, owner: { ...place, sku, sizeMb, createdAtMs: createdAtMs(record) } };
  }
}
