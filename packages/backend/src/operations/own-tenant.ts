/** The id of a lease that nobody tracks may still stand on data: then it is that tenant's, and nobody else begins a lease with it. */
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { LeaseBook } from '../leases/index.ts';
import { parseVolume } from '../names/index.ts';
import type { LabelledVolumes } from '../retention/index.ts';

export interface OwnTenantContext {
  readonly book: Pick<LeaseBook, 'dropped'>;
  readonly volumes: Pick<LabelledVolumes, 'list' | 'identityOf'>;
  readonly log: Log;
}

/** Before anything changes. What cannot be read proves nothing here: each volume is asked again when it is to be taken. */
export async function demandOwnTenant(
  context: OwnTenantContext,
  uuid: string,
  tenant: string,
): Promise<void> {
  for await (const owner of tenantsOf(context, uuid)) {
    if (owner === tenant) continue;
    context.log.error('a lease is refused: there is data of another tenant under its id', {
      lease_uuid: uuid,
      tenant,
      owner,
    });
    throw errors.error('validation', 'invalid lease_uuid: the lease is not one of this tenant');
  }
}

async function* tenantsOf({ book, volumes, log }: OwnTenantContext, uuid: string): AsyncGenerator<string> {
  try {
    const dropped = book.dropped(uuid);
    if (dropped !== undefined) yield dropped.tenant;
  } catch (error) {
    log.warn('what is remembered of a lease cannot be read', { lease_uuid: uuid, error: errorText(error) });
  }
  const names = await volumes.list().catch(() => []);
  for (const name of names) {
    const { lease, retained } = parseVolume(name) ?? {};
    if (lease !== uuid || retained !== false) continue;
    const owner = await volumes.identityOf(name).catch(() => undefined);
    if (owner !== undefined) yield owner.tenant;
  }
}
