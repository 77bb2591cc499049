export { RetentionClaims } from './claims.ts';
export { demandFit } from './fit.ts';
export type * from './ports.ts';
export { keptQuotas } from './quotas.ts';
export { leaseItems, manifestBytes, stackOf } from './records.ts';
export { keepSweeping, type Retention, type RetentionConfig, reasonToHold, retention } from './retention.ts';
