/** Finds out whether packets of clients reach the backends, and what is in the way. */
export { checkForwarding } from './forwarding.ts';
export { PathChecker } from './path-checker.ts';
export { probe } from './probe.ts';
