/** From the first line of main to the exit code: signals, orderly end with a deadline, crashes that are told. */
export type { Daemon, DaemonOptions } from './daemon.ts';
export { runDaemon } from './daemon.ts';
export { lifecycleMessages } from './messages.ts';
