/** What every new manifest has to pass before anything happens, and what comes out of it. */
import { engineErrors, parseImageReference } from '@berth/engine';
import { errors } from '../errors.ts';
import type { LeaseItem } from '../lease/index.ts';
import { type ParsedManifest, parseManifest, type StackManifest } from '../manifest/index.ts';
import { allocationKey } from '../names/index.ts';
import { type Allocation, profileOf, type SkuCatalogue } from '../placement/index.ts';
import { matchItems } from './items.ts';

export interface AdmissionRules {
  readonly catalogue: SkuCatalogue;
  readonly allowedRegistries: readonly string[];
}

/** A manifest that may run on these items. */
export function admit(
  rules: AdmissionRules,
  payload: Uint8Array,
  items: readonly LeaseItem[],
): ParsedManifest {
  for (const { sku } of items) profileOf(rules.catalogue, sku);
  const parsed = parseManifest(payload);
  matchItems(parsed.stack, items);
  checkImages(rules, parsed.stack);
  return parsed;
}

/** The registry of every image must stand in the list, exactly. */
export function checkImages({ allowedRegistries }: AdmissionRules, { services }: StackManifest): void {
  for (const [name, { image }] of services) {
    const registry = registryOf(name, image);
    if (!allowedRegistries.includes(registry))
      throw errors.error(
        'image_not_allowed',
        `service "${name}": registry "${registry}" of image "${image}" is not allowed; allowed are ${allowedRegistries.join(', ')}`,
      );
  }
}

function registryOf(service: string, image: string): string {
  try {
    return parseImageReference(image).registry;
  } catch (error) {
    if (!engineErrors.is(error, 'ENGINE_REFERENCE_INVALID')) throw error;
    throw errors.error('validation', `service "${service}": ${error.message}`);
  }
}

/** What each instance will hold, in the order of the items. */
export function allocationsOf(
  lease: string,
  items: readonly LeaseItem[],
  catalogue: SkuCatalogue,
): readonly Allocation[] {
  return items.flatMap(({ sku, quantity, serviceName: service }) => {
    const profile = profileOf(catalogue, sku);
    return Array.from({ length: quantity }, (_, index) => ({
      key: allocationKey({ lease, service, index }),
      sku,
      ...profile,
    }));
  });
}

export const imagesOf = ({ services }: StackManifest): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from(services, ([name, { image }]) => [name, image]));
