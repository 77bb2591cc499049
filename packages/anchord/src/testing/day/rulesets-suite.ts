/** What the data plane relies on: the real nftables and the simulated ones go through the same tests. */
import { kernelErrors } from '@berth/kernel';
import { parseIpv4 } from '@berth/kernel/ip';
import { diff, type Ruleset } from '@berth/kernel/nftables';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rulesets } from '../../dataplane/dataplane.ts';
import type { DnatEntries } from '../../dataplane/desired.ts';
import { dataplaneRuleset, rulesetOwner, tableNames } from '../../dataplane/ruleset.ts';

interface Opened extends Disposable {
  readonly rulesets: Rulesets;
}

const shape = {
  externalInterface: 'lan0',
  guard: { v4: 'local-address', v6: 'local-address' },
  forwardFilter: { kind: 'external' },
  hairpin: 'by-interface',
} as const;

const leadingTo = (address: string): Ruleset => {
  const backend = { id: 'a', name: 'a' };
  const to = { family: 'v4', protocol: 'tcp', externalPort: 25, backendPort: 25 } as const;
  const entries: DnatEntries = new Map([['v4/tcp/25', { ...to, address: parseIpv4(address), backend }]]);
  return dataplaneRuleset(shape, entries);
};
const one = leadingTo('10.0.0.1');
const other = leadingTo('10.0.0.2');
const staleness = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    return kernelErrors.is(error, 'KERNEL_STALE');
  }
};

export function rulesetsSuite(what: string, open: () => Opened): void {
  describe(`${what}, as the data plane uses them`, () => {
    let opened: Opened;
    let rulesets: Rulesets;
    beforeEach(() => {
      opened = open();
      rulesets = opened.rulesets;
    });
    afterEach(() => opened[Symbol.dispose]());

    it('have another generation after each transaction, and the same without one', () => {
      const before = rulesets.generation();
      const first = rulesets.replace(one);
      expect(first).not.toBe(before);
      expect(rulesets.generation()).toBe(first);
      expect(rulesets.reconcile(one)).toEqual({ changes: [], generation: first });
      expect(rulesets.commit(one, [], first)).toBe(first);
      expect(rulesets.generation()).toBe(first);
    });

    it('take changes for the generation that they were planned for, and for no other', () => {
      const first = rulesets.replace(one);
      const second = rulesets.commit(other, diff(one, other), first);
      expect(rulesets.reconcile(other).changes).toEqual([]);
      expect(staleness(() => rulesets.commit(one, diff(other, one), first))).toBe(true);
      expect(rulesets.generation()).toBe(second);
    });

    it('say what was missing when somebody took tables away, and have it again', () => {
      rulesets.replace(one);
      rulesets.remove(rulesetOwner, [tableNames.v4]);
      const { changes } = rulesets.reconcile(one);
      expect(changes.map(({ change, table }) => `${change} ${table.name}`)).toEqual(['add-table anchord_v4']);
      expect(rulesets.reconcile(one).changes).toEqual([]);
    });

    it('find nothing to remove where nothing is', () => {
      const before = rulesets.generation();
      rulesets.remove(rulesetOwner, Object.values(tableNames));
      expect(rulesets.reconcile(one).changes.length).toBeGreaterThan(0);
      expect(rulesets.generation()).toBeGreaterThan(before);
    });
  });
}
