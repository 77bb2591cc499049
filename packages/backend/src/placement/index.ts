export { type Allocation, type Amounts, diskOnly, isDiskOnly, type PoolUsage, ResourcePool } from './pool.ts';
export { profileOf, type SkuCatalogue, type SkuProfile } from './sku.ts';
