import { Netns } from '@berth/kernel/netns';
import { Nftables } from '@berth/kernel/nftables';
import { rulesetsSuite } from './rulesets-suite.ts';

rulesetsSuite('rulesets of the kernel', () => {
  const namespace = Netns.create('rulesets suite');
  const rulesets = Nftables.open({ namespace });
  return {
    rulesets,
    [Symbol.dispose]: () => {
      rulesets[Symbol.dispose]();
      namespace[Symbol.dispose]();
    },
  };
});
