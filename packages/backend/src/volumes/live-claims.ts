import type { Lease, LeaseItem } from '../lease/index.ts';
import { allocationKey, canonicalVolume, parseVolume, type VolumeName } from '../names/index.ts';
import type { WantedQuota } from './backfill.ts';
import type { Claim, ClaimSource } from './claims.ts';

/** What has to be known of the leases that live. */
export interface LiveLeases {
  get(uuid: string): Pick<Lease, 'items' | 'operation'> | undefined;
  /** Is there a lease of which nothing but its id can be read? */
  isUnreadable(uuid: string): boolean;
}

const covers = (items: readonly LeaseItem[], service: string, index: number): boolean =>
  items.some(({ serviceName, quantity }) => serviceName === service && index < quantity);

/** A lease claims the volumes of all instances that it has, or is about to have, from the moment when it is written down. */
export function liveClaims(leases: LiveLeases): ClaimSource {
  return {
    claimOf(name: VolumeName): Claim | undefined {
      const parsed = parseVolume(name);
      if (parsed === undefined || parsed.retained) return undefined;
      const { lease: uuid, service, index } = parsed;
      const claim: Claim = { kind: 'live_provision', lease: uuid };
      const lease = leases.get(uuid);
      if (lease === undefined) return leases.isUnreadable(uuid) ? claim : undefined;
      const { items, operation } = lease;
      return covers(items, service, index) || covers(operation?.items ?? [], service, index)
        ? claim
        : undefined;
    },
  };
}

/** The quota of every volume that live leases can have: what was reserved for it, or `scratchMb` without disk of its own. */
export function* liveQuotas(
  leases: Iterable<Pick<Lease, 'uuid' | 'items' | 'allocations'>>,
  scratchMb: number,
): Generator<WantedQuota> {
  for (const { uuid: lease, items, allocations } of leases) {
    const reserved = new Map(allocations.map(({ key, diskMb }) => [key, diskMb]));
    for (const { serviceName: service, quantity } of items)
      for (let index = 0; index < quantity; index++) {
        const instance = { lease, service, index };
        const diskMb = reserved.get(allocationKey(instance));
        if (diskMb !== undefined) yield { name: canonicalVolume(instance), sizeMb: diskMb || scratchMb };
      }
  }
}
