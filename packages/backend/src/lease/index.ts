export { type LeaseEvent, type LeaseEventName, leaseEvents, type NewLease } from './events.ts';
export {
  cutError,
  type FailureText,
  failureText,
  type Reason,
  reasons,
  rollbackFailed,
  rolledBack,
} from './reasons.ts';
export {
  callbackStatuses,
  type Death,
  expectedContainers,
  type Failure,
  type Lease,
  type LeaseItem,
  type LeaseStatus,
  leaseStatuses,
  type Operation,
  type OperationKind,
  type Owed,
} from './record.ts';
export {
  readLease,
  readOwed,
  sameTerms,
  type WrittenLease,
  writeOwed,
  writeState,
  writeTerms,
} from './row.ts';
export { cellFor, type LeaseState, leaseStates } from './table.ts';
export {
  type HistoryChange,
  type OutsideAction,
  stagedRelease,
  stateOf,
  type Transition,
  transition,
} from './transition.ts';
