import { SimulatedRulesets } from './rulesets.ts';
import { rulesetsSuite } from './rulesets-suite.ts';

rulesetsSuite('simulated rulesets', () => ({
  rulesets: new SimulatedRulesets(),
  [Symbol.dispose]: () => undefined,
}));
