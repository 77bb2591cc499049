/** What every daemon needs, once: configuration, log, metrics, health, lifetime, clock. Imports no other package. */
export { type BuildInfo, buildInfo } from './build-info.ts';
export type { Cancellable, Clock } from './clock.ts';
export { sleep, systemClock } from './clock.ts';
export type { DurationParse } from './duration.ts';
export { Duration, duration, formatDuration, parseBareSeconds, parseDuration } from './duration.ts';
export type { ErrorContext, ErrorRow } from './errors.ts';
export { CodedError, ErrorTable } from './errors.ts';
export type { MailboxOptions } from './mailbox.ts';
export { Mailbox } from './mailbox.ts';
export type { OnFailure } from './scope.ts';
export { Scope, ScopeClosed } from './scope.ts';
export { Secret } from './secret.ts';
export { serviceErrors } from './service-errors.ts';
export { VirtualClock } from './virtual-clock.ts';
