/** What a later version might write on a volume: what every version says, something else, and not all that this one says. */
import type { VolumeIdentity } from '../volumes/owner.ts';

export const newerLabel = ({ backend, lease, tenant, sizeMb }: VolumeIdentity): string =>
  JSON.stringify({ v: 2, backend, lease, tenant, size_mb: sizeMb, disk: { class: 'fast' } });
