/** What has to be true of a storage world, whatever has happened to it. Each function says what is not. */
import { canonicalForm, isRetained, parseVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { StorageWorld } from './storage-world.ts';

/** What the pool takes for used by closed leases. */
const keptMb = ({ pool: { usage } }: StorageWorld): number =>
  usage.total.diskMb - usage.allocated.diskMb - usage.available.diskMb;

/** What may lie on disk: a volume may grow to its size; one that a lease has taken over, to what that lease may use of it. */
function onDiskMb(world: StorageWorld): number {
  let sum = 0;
  for (const name of world.disk.names) {
    const volume = world.disk.volume(name);
    if (volume === undefined || volume.scratch) continue;
    const parsed = parseVolume(name);
    const lease = parsed && !parsed.retained ? world.book.get(parsed.lease) : undefined;
    const given = lease?.allocations.find(
      ({ key }) => key === `${parsed?.lease}-${parsed?.service}-${parsed?.index}`,
    );
    sum += given === undefined ? volume.sizeMb : Math.min(volume.sizeMb, given.diskMb);
  }
  return sum;
}

/** At every moment: no byte that may be on disk is counted nowhere. */
export function undercounted(world: StorageWorld): string | undefined {
  const counted = world.pool.usage.allocated.diskMb + keptMb(world);
  const there = onDiskMb(world);
  return counted >= there ? undefined : `${there} MiB may be on disk, only ${counted} are counted`;
}

/** When nothing is going on: everything has an owner, every owner has what it should, and the books are right. */
export function flaws(world: StorageWorld): readonly string[] {
  const found: string[] = [];
  const owned = new Set<VolumeName>();
  for (const lease of world.book.values()) {
    if (lease.operation !== undefined)
      found.push(`lease ${lease.uuid} is still busy: ${lease.operation.kind}`);
    for (const { serviceName: service, quantity } of lease.items)
      for (let index = 0; index < quantity; index++)
        owned.add(`fred-${lease.uuid}-${service}-${index}` as VolumeName);
  }
  for (const { key, record } of world.store.withStatus('active'))
    for (const name of record?.retained_volume_names ?? []) {
      owned.add(name as VolumeName);
      if (world.disk.volume(name as VolumeName) === undefined)
        found.push(`kept volume ${name} of ${key} is gone`);
    }
  for (const status of ['restoring', 'reaping'] as const)
    for (const { key } of world.store.withStatus(status)) found.push(`record ${key} is left ${status}`);
  for (const key of world.store.closing()) found.push(`the close of ${key} is not finished`);
  for (const name of world.disk.names) if (!owned.has(name)) found.push(`volume ${name} is leaked`);
  const counted = world.pool.usage.allocated.diskMb + keptMb(world);
  const expected = onDiskMb(world);
  if (counted !== expected) found.push(`${expected} MiB are on disk, ${counted} are counted`);
  return found;
}

/** Where content is, by the names of the volumes that have it. */
export function placesOf(world: StorageWorld, content: string): readonly VolumeName[] {
  return world.disk.names.filter((name) => world.disk.volume(name)?.content === content);
}

/** Does somebody answer for this volume: a lease that runs on it, or a record from which it can be restored? */
export function isAnsweredFor(world: StorageWorld, name: VolumeName): boolean {
  const parsed = parseVolume(name);
  if (parsed === undefined) return false;
  if (!isRetained(name)) return world.book.get(parsed.lease) !== undefined;
  const kept = world.store.kept(parsed.lease);
  return (
    kept?.status === 'active' &&
    kept.record?.retained_volume_names.includes(retainedForm(canonicalForm(name))) === true
  );
}
