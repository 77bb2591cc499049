/** nftables: a ruleset is a value. Build it, put it in force in one transaction, read it back, compare. */
export { checkRuleset, problemsOf } from './check/index.ts';
export { compile } from './compile.ts';
export { type Change, diff } from './diff/index.ts';
export * from './model/public.ts';
export {
  type Applied,
  type ApplyOptions,
  Nftables,
  type NftablesOptions,
  type Snapshot,
} from './nftables.ts';
export { toText } from './text/index.ts';
export { type RulesetEvents, watchRulesets } from './watch.ts';
export type { GenerationEvent, TableHeader } from './wire/index.ts';
