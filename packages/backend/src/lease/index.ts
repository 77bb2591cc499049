export type { LeaseEvent, LeaseEventName, NewLease } from './events.ts';
export { failureText, type Reason } from './reasons.ts';
export type { Death, Failure, Lease, LeaseItem, LeaseStatus, Operation, Owed } from './record.ts';
export { cellFor, type LeaseState, leaseStates } from './table.ts';
export { type HistoryChange, stagedRelease, stateOf, type Transition, transition } from './transition.ts';
