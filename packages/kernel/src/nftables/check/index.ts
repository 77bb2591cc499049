/** What is wrong with a ruleset, before the kernel sees it. */
export { checkRuleset, problemsOf } from './check.ts';
