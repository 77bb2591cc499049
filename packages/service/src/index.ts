/** What every daemon needs, once: configuration, log, metrics, health, lifetime, clock. Imports no other package. */
export type { Cancellable, Clock } from './clock.ts';
export { sleep, systemClock } from './clock.ts';
export type { ErrorContext, ErrorRow } from './errors.ts';
export { CodedError, ErrorTable } from './errors.ts';
export { Scope, ScopeClosed } from './scope.ts';
export { VirtualClock } from './virtual-clock.ts';
