/** What has to be true of a storage world, whatever has happened to it. Each function says what is not. */
import { canonicalForm, isRetained, parseVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { StorageWorld } from './storage-world.ts';

/** What the pool takes for used by closed leases. */
const keptMb = ({ pool: { usage } }: StorageWorld): number =>
  usage.total.diskMb - usage.allocated.diskMb - usage.available.diskMb;

/**
 * What may lie on disk: a volume may grow to its size; one that a lease has taken over, or is taking over, to what that lease
 * may use of it, because it was measured and nobody writes to it.
 */
function onDiskMb(world: StorageWorld): number {
  let sum = 0;
  const takenOver = new Map(world.records('restoring').map(({ key, newLease }) => [key, newLease]));
  for (const { volume, of } of world.disk.entries) {
    if (volume.scratch || of === undefined) continue;
    const holder = of.retained ? (takenOver.get(of.lease) ?? '') : of.lease;
    const key = `${holder}-${of.service}-${of.index}`;
    const lease = world.book.get(holder);
    const given = lease?.allocations.find((one) => one.key === key);
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
export function flaws(world: StorageWorld, active = world.records('active')): readonly string[] {
  const found: string[] = [];
  const owned = new Set<VolumeName>();
  for (const lease of world.book.values()) {
    if (lease.operation !== undefined)
      found.push(`lease ${lease.uuid} is still busy: ${lease.operation.kind}`);
    for (const { serviceName: service, quantity } of lease.items)
      for (let index = 0; index < quantity; index++)
        owned.add(`fred-${lease.uuid}-${service}-${index}` as VolumeName);
  }
  for (const { key, record } of active)
    for (const name of record?.retained_volume_names ?? []) {
      owned.add(name as VolumeName);
      if (!isThere(world, name as VolumeName, key)) found.push(`kept volume ${name} of ${key} is gone`);
    }
  for (const status of ['restoring', 'reaping'] as const)
    for (const { key } of world.records(status)) found.push(`record ${key} is left ${status}`);
  for (const key of world.store.closing()) found.push(`the close of ${key} is not finished`);
  for (const name of world.disk.names)
    if (!owned.has(name) && !isStranded(world, name)) found.push(`volume ${name} is leaked`);
  const miscounted = miscount(world);
  if (miscounted !== undefined) found.push(miscounted);
  return found;
}

/** Its lease ended without a close: the data waits for that. */
function isStranded(world: StorageWorld, name: VolumeName): boolean {
  const { lease = '', retained } = parseVolume(name) ?? {};
  return retained === false && world.book.get(lease) === undefined && world.book.droppedDiskMb.has(lease);
}

function isThere({ book, disk }: StorageWorld, name: VolumeName, lease: string): boolean {
  if (disk.volume(name) !== undefined) return true;
  // One that was to have its data back, and failed on the way, has some of it under its own name.
  return book.get(lease) !== undefined && disk.volume(canonicalForm(name)) !== undefined;
}

function miscount(world: StorageWorld): string | undefined {
  const counted = world.pool.usage.allocated.diskMb + keptMb(world);
  const expected = onDiskMb(world);
  // A restore that failed, and could not give back all at once, goes on holding its room until it is closed.
  const failed = [...world.book.values()].filter(({ status }) => status === 'failed');
  const heldMb = failed
    .flatMap(({ allocations }) => allocations)
    .reduce((sum, { diskMb }) => sum + diskMb, 0);
  const right = counted === expected || counted - heldMb === expected;
  return right ? undefined : `${expected} MiB are on disk, ${counted} are counted`;
}

/** Where content is, by the names of the volumes that have it. */
export function placesOf(world: StorageWorld, content: string): readonly VolumeName[] {
  return world.disk.entries.filter(({ volume }) => volume.content === content).map(({ name }) => name);
}

/** Does somebody answer for this volume: a lease that runs on it, or a record from which it can be restored? */
export function isAnsweredFor(world: StorageWorld, name: VolumeName): boolean {
  const parsed = parseVolume(name);
  if (parsed === undefined) return false;
  if (!isRetained(name)) return world.book.get(parsed.lease) !== undefined || isStranded(world, name);
  const kept = world.store.kept(parsed.lease);
  return (
    kept?.status === 'active' &&
    kept.record?.retained_volume_names.includes(retainedForm(canonicalForm(name))) === true
  );
}
