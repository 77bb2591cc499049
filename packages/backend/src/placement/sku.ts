import { errors } from '../errors.ts';

/** What one instance of a SKU may use. */
export interface SkuProfile {
  readonly cpuCores: number;
  readonly memoryMb: number;
  /** 0: no managed data volume. */
  readonly diskMb: number;
}

export interface SkuCatalogue {
  readonly profiles: ReadonlyMap<string, SkuProfile>;
  /** SKU of the chain → name of a profile. */
  readonly mapping: ReadonlyMap<string, string>;
}

/** A SKU is looked up in the mapping first; otherwise it is the name of a profile itself. */
export function profileOf(catalogue: SkuCatalogue, sku: string): SkuProfile {
  const name = catalogue.mapping.get(sku) ?? sku;
  const profile = catalogue.profiles.get(name);
  if (profile === undefined) throw errors.error('unknown_sku', `unknown SKU: ${sku} (profile: ${name})`);
  return profile;
}
