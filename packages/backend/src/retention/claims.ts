/** What the records of kept data own, name by name. */
import { canonicalForm, isRetained, parseVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { Kept, RetentionStore } from '../stores/index.ts';
import { adoptions } from './records.ts';

export interface RetentionClaim {
  readonly kind: 'retained_record' | 'restore_adopted' | 'restore_source';
  readonly lease: string;
}

/** Throws when the store cannot be read. */
export class RetentionClaims {
  readonly #store: RetentionStore;

  constructor(store: RetentionStore) {
    this.#store = store;
  }

  claimOf(name: VolumeName): RetentionClaim | undefined {
    const parsed = parseVolume(name);
    if (parsed === undefined) return undefined;
    // Kept data never has the retained form of the lease that it is restored into.
    const into = isRetained(name) ? [] : this.#store.restoringInto(parsed.lease);
    const adopted = into.find((kept) => adopts(kept, name));
    if (adopted !== undefined) return { kind: 'restore_adopted', lease: adopted.key };
    const own = this.#store.kept(parsed.lease);
    if (own !== undefined && claimsOwn(own, name))
      return { kind: own.status === 'restoring' ? 'restore_source' : 'retained_record', lease: own.key };
    return this.#store.isClosing(parsed.lease) ? { kind: 'retained_record', lease: parsed.lease } : undefined;
  }
}

/** A record that cannot be read owns all that its lease has. */
function claimsOwn({ status, record }: Kept, name: VolumeName): boolean {
  if (status === 'reaping') return false;
  return record === undefined || record.retained_volume_names.includes(retainedForm(canonicalForm(name)));
}

function adopts({ record, newLease }: Kept, name: VolumeName): boolean {
  if (record === undefined) return true;
  return adoptions(record, newLease).some(({ adopted }) => adopted === name);
}
