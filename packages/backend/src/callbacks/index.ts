export { CallbackOutbox, type OutboxOptions } from './outbox.ts';
export { type SendCallback, sendCallback } from './send.ts';
export { callbackUrlProblem } from './url.ts';
