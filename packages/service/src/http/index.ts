/** The loopback listener: metrics, liveness, and readiness out of one table of what can be wrong. */
export type { Condition, ConditionTable, Finding, Severity } from './health.ts';
export { Health } from './health.ts';
export type { ListenerOptions } from './listener.ts';
export { listenerMessages, serve } from './listener.ts';
export type { Answer, Pages } from './pages.ts';
export { daemonPages, plainText } from './pages.ts';
