import type { Lease, LeaseItem } from '../lease/index.ts';
import { type ServiceSpec, type StackManifest, startOrder } from '../manifest/index.ts';
import type { InstanceId } from '../names/index.ts';
import { profileOf, type SkuCatalogue, type SkuProfile } from '../placement/index.ts';

/** One container that a lease should have. */
export interface Instance extends InstanceId {
  readonly item: LeaseItem;
  readonly spec: ServiceSpec;
  readonly profile: SkuProfile;
}

/** All containers of a lease, in the order in which they may start: after those that they wait for. */
export function instancesOf(
  { uuid: lease }: Pick<Lease, 'uuid'>,
  items: readonly LeaseItem[],
  { services }: StackManifest,
  catalogue: SkuCatalogue,
): readonly Instance[] {
  return startOrder(services).flatMap((service) => {
    const spec = services.get(service);
    const item = items.find(({ serviceName }) => serviceName === service);
    if (spec === undefined || item === undefined) return [];
    const profile = profileOf(catalogue, item.sku);
    return Array.from({ length: item.quantity }, (_, index) => ({
      lease,
      service,
      index,
      item,
      spec,
      profile,
    }));
  });
}
