export { CallbackOutbox, type OutboxOptions } from './outbox.ts';
export { callbackUrlProblem } from './url.ts';
