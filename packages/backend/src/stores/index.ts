export { CallbackStore, type PendingCallback } from './callbacks.ts';
export { keepCleaningUp } from './clean-up.ts';
export { type DiagnosticsEntry, DiagnosticsStore } from './diagnostics.ts';
export { GroupCommit } from './group-commit.ts';
export { type LeaseRow, LeaseRows } from './lease-rows.ts';
export {
  type Release,
  type ReleaseStatus,
  ReleaseStore,
  releaseStatuses,
  rootFact,
  witnessesFact,
} from './releases.ts';
export { type Claimed, type Kept, RetentionStore, type RetentionTotals } from './retention.ts';
export {
  type CloseIntent,
  createdAtMs,
  decodeRecord as recordFrom,
  footprintMb,
  type RetainedItem,
  type RetentionRecord,
  type RetentionStatus,
} from './retention-record.ts';
export { StoreFile } from './store-file.ts';
