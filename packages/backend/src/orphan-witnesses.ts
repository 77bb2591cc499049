/** Who may know a reason to keep a volume that nobody claims. All are asked, and any doubt is a reason. */
import { errorText } from '@berth/service/log';
import { parseVolume } from './names/index.ts';
import type { ReleaseStore } from './stores/index.ts';
import type { Witness } from './volumes/index.ts';
import type { LeaseContainer, Listing } from './workload/index.ts';

interface Standing extends Pick<Listing, 'unreadable'> {
  readonly containers: readonly Pick<LeaseContainer, 'lease'>[];
}

interface WitnessContext {
  readonly releases: Pick<ReleaseStore, 'latestActive' | 'leases'>;
  readonly work: { readonly listing: { all(): Promise<Standing> } };
}

/** Looks at all containers; what the stores say is read when it is asked for. */
export async function orphanWitnesses({ releases, work }: WitnessContext): Promise<readonly Witness[]> {
  const { containers, unreadable } = await work.listing.all();
  const standing = new Set(containers.map(({ lease }) => lease));
  return [
    (name) => hasRelease(releases, leaseOf(name)),
    (name) => wasDropped(releases, leaseOf(name)),
    (name) => (standing.has(leaseOf(name)) ? 'a container of its lease is there' : undefined),
    () =>
      unreadable.length > 0 ? 'there are containers of which it cannot be told whose they are' : undefined,
  ];
}

const leaseOf = (name: Parameters<Witness>[0]): string => parseVolume(name)?.lease ?? '';

/** A lease whose containers somebody else has removed still has what it ran in its history. In doubt it has. */
function hasRelease(releases: WitnessContext['releases'], lease: string): string | undefined {
  try {
    return releases.latestActive(lease) === undefined ? undefined : 'its lease has an active release';
  } catch (error) {
    return `the releases of its lease cannot be read: ${errorText(error)}`;
  }
}

/** One that nobody has closed since, whatever its history says. */
const wasDropped = (releases: WitnessContext['releases'], lease: string): string | undefined =>
  releases.leases.dropped(lease) === undefined
    ? undefined
    : 'the containers of its lease were removed by somebody else, and the lease was never closed';
