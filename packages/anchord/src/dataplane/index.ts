/** From backends to what the kernel does with packets. */
export { Dataplane } from './dataplane.ts';
export { probeShape } from './probe-shape.ts';
export { Reconciler, type ReconcilerParts } from './reconciler.ts';
export { watchRulesets } from './watch-rulesets.ts';
