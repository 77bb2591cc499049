/** Leases of a storage world, in the words of its tests: with one volume of a service `db`, unless a test says otherwise. */
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { RequestedItem } from '../operations/index.ts';
import type { StorageWorld } from './storage-world.ts';

export const item = (serviceName = 'db', sku = 'small', quantity = 1): RequestedItem => ({
  sku,
  quantity,
  serviceName,
  customDomain: '',
});

/** The volume of an instance that runs. */
export const live = (lease: string, service = 'db', index = 0): VolumeName =>
  canonicalVolume({ lease, service, index });

/** The same volume, once its lease is closed and it is kept. */
export const kept = (lease: string, service = 'db', index = 0): VolumeName =>
  retainedForm(live(lease, service, index));

/** It runs, and its first volume says whose data it is. */
export async function running(
  world: StorageWorld,
  lease: string,
  items: readonly RequestedItem[] = [item()],
  tenant = 't',
): Promise<void> {
  await world.provision(lease, tenant, items);
  await world.idle();
  world.disk.write(live(lease), `data of ${lease}`);
}

/** Closes it; what is closed next is younger. */
export async function close(world: StorageWorld, lease: string): Promise<void> {
  await world.close(lease);
  await world.idle();
  await world.clock.advance(1000);
}

/** It ran, and was closed. */
export async function closed(
  world: StorageWorld,
  lease: string,
  items: readonly RequestedItem[] = [item()],
  tenant = 't',
): Promise<void> {
  await running(world, lease, items, tenant);
  await close(world, lease);
}
