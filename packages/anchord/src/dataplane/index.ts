/** From backends to what the kernel does with packets. */
export { Dataplane, describeChange } from './dataplane.ts';
export {
  type DesiredDataplane,
  type DnatEntries,
  type DnatEntry,
  desiredDataplane,
  keyOf,
} from './desired.ts';
export { probeShape } from './probe-shape.ts';
export { Reconciler, type ReconcilerParts } from './reconciler.ts';
export { type DataplaneShape, dataplaneRuleset, rulesetOwner } from './ruleset.ts';
export { watchRulesets } from './watch-rulesets.ts';
