export { RetentionClaims } from './claims.ts';
export { type RecordCopies, recordCopies } from './copies.ts';
export { demandFit } from './fit.ts';
export { tellHoldings } from './holdings.ts';
export { type LabelledVolumes, leaseOnDisk, type OnDisk } from './on-disk.ts';
export type * from './ports.ts';
export { keptQuotas } from './quotas.ts';
export { diskMbOf, leaseItems, manifestBytes, stackOf } from './records.ts';
export {
  keepSweeping,
  type Retention,
  type RetentionConfig,
  reasonToHold,
  retention,
  unknownKept,
} from './retention.ts';
