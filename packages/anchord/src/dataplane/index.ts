/** From backends to what the kernel does with packets. */
export { Dataplane, describeChange } from './dataplane.ts';
export {
  type DesiredDataplane,
  type DnatEntries,
  type DnatEntry,
  desiredDataplane,
  keyOf,
} from './desired.ts';
export { forwardFilterFor, ownNetworks, refusedInterfaces } from './forward-filter.ts';
export { probeShape } from './probe-shape.ts';
export { Reconciler, type ReconcilerParts } from './reconciler.ts';
export { type DataplaneShape, dataplaneRuleset, type ForwardFilter, rulesetOwner } from './ruleset.ts';
export { watchRulesets } from './watch-rulesets.ts';
