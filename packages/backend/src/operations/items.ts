import { errors } from '../errors.ts';
import type { LeaseItem } from '../lease/index.ts';
import { flatServiceName, type StackManifest } from '../manifest/index.ts';

/** An item as the caller writes it; what is empty was not said. */
export interface RequestedItem {
  readonly sku: string;
  readonly quantity: number;
  readonly serviceName: string;
  readonly customDomain: string;
}

/** The chain permits far more, and a negative number is an overflow of somebody before us. */
const mostContainers = 1024;

/** Checked before anything is allocated for them. */
export function checkQuantities(items: readonly RequestedItem[]): void {
  let total = 0;
  for (const [index, { sku, quantity, serviceName }] of items.entries()) {
    const item = `item ${index} (sku ${JSON.stringify(sku)}, service ${JSON.stringify(serviceName)})`;
    if (quantity < 0 || quantity > mostContainers)
      throw errors.error('validation', `${item}: quantity ${quantity} is not within 0 and ${mostContainers}`);
    total += quantity;
    if (total > mostContainers)
      throw errors.error('validation', `${item}: the quantities add up to more than ${mostContainers}`);
  }
}

/** A lone item without a name is the service of a flat manifest; otherwise all items are named, or none can be told apart. */
export function normalizeItems(items: readonly RequestedItem[]): readonly LeaseItem[] {
  const [first] = items;
  if (first === undefined) throw errors.error('validation', 'items is required');
  if (items.length === 1 && first.serviceName === '') return [{ ...first, serviceName: flatServiceName }];
  const unnamed = items.findIndex(({ serviceName }) => serviceName === '');
  if (unnamed >= 0)
    throw errors.error(
      'invalid_manifest',
      `item ${unnamed} has no service_name, but there is more than one item`,
    );
  return items;
}

/** Services and items correspond one to one, and no instance of one service is called like another service. */
export function matchItems({ services }: StackManifest, items: readonly LeaseItem[]): void {
  const quantities = new Map<string, number>();
  for (const { serviceName, quantity } of items) {
    if (quantities.has(serviceName))
      throw errors.error('invalid_manifest', `service "${serviceName}" appears in more than one item`);
    if (!services.has(serviceName))
      throw errors.error(
        'invalid_manifest',
        `item "${serviceName}" has no service of that name in the manifest`,
      );
    quantities.set(serviceName, quantity);
  }
  for (const name of services.keys()) {
    if (!quantities.has(name))
      throw errors.error('invalid_manifest', `service "${name}" has no item in the lease`);
    const [, base = '', index = ''] = /^(.+)-(0|[1-9]\d*)$/.exec(name) ?? [];
    const replicas = quantities.get(base) ?? 0;
    if (replicas > 1 && Number(index) < replicas)
      throw errors.error(
        'invalid_manifest',
        `service "${name}" is called like instance ${index} of "${base}"`,
      );
  }
}
