import { diff } from '@berth/kernel/nftables';
import { describe, expect, it } from 'vitest';
import { dataplanes } from '../testing/dataplane-shapes.ts';
import { dataplaneRuleset } from './ruleset.ts';

describe('ruleset of the data plane', () => {
  it('says the same with and without the one before it, whatever that was', () => {
    const contents = dataplanes.filter(({ name }) => name.startsWith('local-local-by-interface-filtered-'));
    expect(contents.length).toBeGreaterThan(5);
    for (const { shape, entries } of dataplanes) {
      for (const { entries: others } of contents) {
        const before = dataplaneRuleset(shape, others);
        const fresh = dataplaneRuleset(shape, entries);
        const after = dataplaneRuleset(shape, entries, before);
        expect(after).toEqual(fresh);
        expect(diff(before, after)).toEqual(diff(before, fresh));
      }
    }
  });

  it('shares with the one before it all that is the same', () => {
    const shape = dataplanes[0]?.shape;
    const [one, other] = ['translated', 'mixed'].map((name) =>
      dataplanes.find((plane) => plane.name.endsWith(name)),
    );
    if (shape === undefined || one === undefined || other === undefined)
      throw new Error('there are no shapes');
    const before = dataplaneRuleset(shape, one.entries);
    expect(dataplaneRuleset(shape, new Map(one.entries), before).tables).toEqual(before.tables);
    for (const [index, table] of dataplaneRuleset(shape, new Map(one.entries), before).tables.entries()) {
      expect(table).toBe(before.tables[index]);
    }
    const merged = new Map([
      ...one.entries,
      ...[...other.entries].filter(([key]) => key.startsWith('v6/udp')),
    ]);
    const after = dataplaneRuleset(shape, merged, before);
    expect(after.tables[0]).toBe(before.tables[0]);
    expect(after.tables[1]).not.toBe(before.tables[1]);
    expect(after.tables[1]?.sets[0]).toBe(before.tables[1]?.sets[0]);
  });
});
