/** What is wrong with a ruleset, before the kernel sees it. */
export { checkChanges, checkRuleset, problemsOf } from './check.ts';
