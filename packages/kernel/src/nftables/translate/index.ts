/** Between statements and the expressions of the kernel, in both directions. */
export { NAT_FLAGS } from './kernel-numbers.ts';
export { lowerStatements, type Surroundings } from './lower.ts';
export { raiseStatements } from './raise.ts';
export { registerAt, registerNumber, VERDICT_REGISTER } from './registers.ts';
