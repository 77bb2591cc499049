/** Closes a lease, also one that is not tracked any more: what it has on disk is kept or destroyed by the same rules. */
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { Lease, LeaseEvent } from '../lease/index.ts';
import type { LeaseBook, LeaseRegistry } from '../leases/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import { type LabelledVolumes, leaseOnDisk, type OnDisk } from '../retention/index.ts';
import type { ReleaseStore, RetentionStore } from '../stores/index.ts';

export interface CloseContext {
  readonly book: LeaseBook;
  readonly registry: LeaseRegistry;
  readonly releases: Pick<ReleaseStore, 'highestVersion' | 'latestActive'>;
  readonly store: Pick<RetentionStore, 'restoringInto'>;
  readonly volumes: LabelledVolumes;
  readonly rules: { readonly catalogue: SkuCatalogue };
  readonly log: Log;
}

/** Resolves when the lease is gone; rejects when this attempt at it failed. */
export async function closeLease(context: CloseContext, uuid: string, signal: AbortSignal): Promise<void> {
  const { book, registry, log } = context;
  // Looked at before its turn comes: a lease that is tracked by then, or remembered, counts more than its volumes say.
  const onDisk: OnDisk = book.get(uuid) === undefined ? await leftOnDisk(context, uuid) : { kind: 'nothing' };
  const prepare = (current: Lease | undefined, operationId: string): LeaseEvent => {
    if (current !== undefined) return { name: 'DeprovisionRequested', operationId };
    const known = dropped(context, uuid) ?? (onDisk.kind === 'lease' ? onDisk.lease : undefined);
    if (known !== undefined) {
      log.warn('closing a lease that was not tracked any more', { lease_uuid: uuid });
      return { name: 'DroppedCloseRequested', operationId, lease: atRest(known) };
    }
    if (onDisk.kind === 'unproven') throw new Unproven(onDisk.reason);
    return { name: 'DeprovisionRequested', operationId };
  };
  const refusal = () => errors.error('invalid_state', 'invalid state for deprovision');
  try {
    await registry.close(uuid, { prepare, refusal }, signal);
  } catch (error) {
    if (!(error instanceof Unproven)) throw error;
    // Asked again, nothing of this would be different: the caller is done with the lease, and its data stays with its history.
    log.error(
      'a lease that nobody knows was closed, its volumes cannot be proven to be its own and are kept',
      {
        lease_uuid: uuid,
        reason: error.message,
      },
    );
  }
}

class Unproven extends Error {}

/** A record that cannot be read is as good as none here: its volumes have labels of their own. */
function dropped({ book, log }: CloseContext, uuid: string): Lease | undefined {
  try {
    return book.dropped(uuid);
  } catch (error) {
    log.error('what was remembered of a lease cannot be read', { lease_uuid: uuid, error: errorText(error) });
    return undefined;
  }
}

const atRest = ({ operation: _, closing: __, ...lease }: Lease): Lease => lease;

async function leftOnDisk(context: CloseContext, uuid: string): Promise<OnDisk> {
  const { volumes, releases, store, rules } = context;
  if (volumes.kind === 'noop') return { kind: 'nothing' };
  // What a restore has brought under its name belongs to another lease, whatever is written on it.
  if (store.restoringInto(uuid).length > 0)
    return { kind: 'unproven', reason: 'a restore into it has not been settled' };
  return await leaseOnDisk(uuid, { volumes, releases, catalogue: rules.catalogue });
}
