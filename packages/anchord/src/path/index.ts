/** Finds out whether packets of clients reach the backends, and what is in the way. */
export { checkForwarding, forwardingOff } from './forwarding.ts';
export { judgePath, judgeUnhurried, type PathVerdict } from './judge.ts';
export { PathChecker } from './path-checker.ts';
export { probe } from './probe.ts';
