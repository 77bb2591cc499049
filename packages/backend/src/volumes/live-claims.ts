import type { Lease, LeaseItem } from '../lease/index.ts';
import { parseVolume, type VolumeName } from '../names/index.ts';
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
