import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Netns } from '../netns/index.ts';
import { inside } from '../testing/namespaces.ts';
import { diff, Nftables, ruleset, toText } from './index.ts';
import { arbitraryPair, arbitraryRuleset } from './testing/arbitrary-rulesets.ts';

const nothing = ruleset('test');

describe('a random ruleset', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-random-'));
  let namespace: Netns;
  let nftables: Nftables;
  beforeAll(() => {
    namespace = Netns.create('random rulesets');
    nftables = Nftables.open({ namespace });
  });
  afterAll(() => {
    nftables[Symbol.dispose]();
    namespace[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  it('comes back from the kernel as it went there', () => {
    fc.assert(
      fc.property(arbitraryRuleset, (wanted) => {
        nftables.reconcile(nothing);
        nftables.reconcile(wanted);
        const { ruleset: found } = nftables.read('test');
        expect(found.tables[0]?.unreadable).toBeUndefined();
        expect(JSON.stringify(found)).not.toContain('"opaque"');
        expect(diff(found, wanted)).toEqual([]);
        expect(diff(wanted, found)).toEqual([]);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 10_000 },
    );
  });

  it('is reached from any other, rule by rule and element by element', () => {
    fc.assert(
      fc.property(arbitraryPair, ([before, after]) => {
        nftables.reconcile(nothing);
        nftables.reconcile(before);
        const { changes } = nftables.reconcile(after);
        const { ruleset: found } = nftables.read('test');
        expect(diff(found, after), toText(after)).toEqual([]);
        expect(changes.filter(({ change }) => change === 'replace-table')).toEqual([]);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 10_000 },
    );
  });

  it('is to nft what nft makes of its text', () => {
    const file = join(folder, 'ruleset.nft');
    const listed = (where: Netns): string =>
      inside(where, 'nft', 'list', 'ruleset').replaceAll(/ expires \w+/g, '');
    fc.assert(
      fc.property(arbitraryRuleset, (wanted) => {
        nftables.reconcile(nothing);
        nftables.reconcile(wanted);
        using witness = Netns.create('random rulesets by nft');
        writeFileSync(file, toText(wanted));
        inside(witness, 'nft', '-f', file);
        expect(listed(namespace)).toBe(listed(witness));
      }),
      { numRuns: 40, interruptAfterTimeLimit: 10_000 },
    );
  });
});
