/** How work flows: again after a failure, in time, one after another, many wishes in one run, at intervals. */
export type { BackoffOptions } from './backoff.ts';
export { Backoff } from './backoff.ts';
export type { CoalescerOptions } from './coalescer.ts';
export { Coalescer } from './coalescer.ts';
export type { DeadlineOptions } from './deadline.ts';
export { untilAborted, withDeadline } from './deadline.ts';
export type { EveryOptions } from './every.ts';
export { every } from './every.ts';
export type { RetryOptions } from './retry.ts';
export { retry } from './retry.ts';
export { KeyedSerial, Serial } from './serial.ts';
