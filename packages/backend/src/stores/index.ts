export { CallbackStore, type PendingCallback } from './callbacks.ts';
export { type DiagnosticsEntry, DiagnosticsStore } from './diagnostics.ts';
export { GroupCommit } from './group-commit.ts';
export { type Release, type ReleaseStatus, ReleaseStore } from './releases.ts';
export { type RetentionRecord, RetentionStore } from './retention.ts';
export { StoreFile } from './store-file.ts';
