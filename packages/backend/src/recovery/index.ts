export { takeUpHistory } from './late-history.ts';
export { Recovery } from './recovery.ts';
