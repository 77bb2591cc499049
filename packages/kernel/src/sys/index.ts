/** The system calls that Node lacks: an interface of some fifteen calls, and its one adapter. */
export * from './constants.ts';
export { expectSuccess } from './failure.ts';
export { linux } from './linux.ts';
export type { Sys } from './sys.ts';
