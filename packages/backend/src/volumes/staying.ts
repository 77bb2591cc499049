import type { Lease } from '../lease/index.ts';
import { allocationKey, parseVolume } from '../names/index.ts';
import type { Volumes } from './volumes.ts';

/** Keys of the allocations of a lease whose volumes are on disk; all of them when that cannot be seen. */
export async function volumesStay(
  volumes: Pick<Volumes, 'ofLease'>,
  { uuid, allocations }: Pick<Lease, 'uuid' | 'allocations'>,
): Promise<readonly string[]> {
  try {
    const instances = (await volumes.ofLease(uuid)).map(parseVolume);
    return instances.flatMap((instance) => (instance === undefined ? [] : [allocationKey(instance)]));
  } catch {
    return allocations.map(({ key }) => key);
  }
}
