import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Netns } from '@berth/kernel/netns';
import { Nftables } from '@berth/kernel/nftables';
import { inside } from '@berth/kernel/testing';
import { describe, expect, it } from 'vitest';
import { dataplanes, type NamedDataplane } from '../testing/dataplane-shapes.ts';
import { dataplaneRuleset } from './ruleset.ts';

const goldens = join(import.meta.dirname, 'goldens');
const goldenOf = ({ name }: NamedDataplane): string => join(goldens, `${name}.golden.nft`);
const updating = process.env['BERTH_UPDATE_GOLDEN'] === '1';

describe('data plane in the kernel', () => {
  it.each(dataplanes)('$name reads as its golden file', (one) => {
    using namespace = Netns.create(one.name);
    using nftables = Nftables.open({ namespace });
    nftables.replace(dataplaneRuleset(one.shape, one.entries));
    const seen = inside(namespace, 'nft', 'list', 'ruleset');
    if (updating) writeFileSync(goldenOf(one), seen);
    expect(seen).toBe(readFileSync(goldenOf(one), 'utf8'));
  });

  it('has a golden file for each shape, and no other', () => {
    expect(dataplanes.length).toBeGreaterThanOrEqual(100);
    const wanted = dataplanes.map(goldenOf);
    for (const name of updating ? readdirSync(goldens) : []) {
      if (!wanted.includes(join(goldens, name))) rmSync(join(goldens, name));
    }
    expect(readdirSync(goldens)).toHaveLength(wanted.length);
    expect(wanted.every(existsSync)).toBe(true);
  });
});
