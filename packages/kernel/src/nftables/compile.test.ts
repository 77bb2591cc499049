import { describe, expect, it } from 'vitest';
import { messages } from '../netlink/index.ts';
import { accept, chain, compile, dnat, entry, map, match, oneOf, rule, ruleset, table } from './index.ts';
import { shapes } from './testing/shapes.ts';

const NLM_F_ACK = 4;
const parts = (bytes: Uint8Array) => [...messages(Buffer.from(bytes))];

describe('compile', () => {
  it.each(shapes)('makes one well-formed batch of $name', ({ ruleset: one }) => {
    const all = parts(compile(one));
    expect([all[0]?.type, all.at(-1)?.type]).toEqual([16, 17]);
    expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 1));
    const acknowledged = all.filter(({ flags }) => (flags & NLM_F_ACK) !== 0);
    expect(acknowledged).toEqual([all.at(-2)]);
  });

  it('is the same for the same ruleset', () => {
    for (const { ruleset: one } of shapes) expect(compile(structuredClone(one))).toEqual(compile(one));
  });

  it('splits long lists of elements', () => {
    const elements = Array.from({ length: 2500 }, (_, port) => entry(port, '10.0.0.1'));
    const long = ruleset(
      't',
      table('ip', 't', { sets: [map('m', { key: 'inet_service', data: 'ipv4_addr' }, elements)] }),
    );
    const lists = parts(compile(long)).filter(({ type }) => type === ((10 << 8) | 12));
    expect(lists).toHaveLength(3);
  });

  it('gives each anonymous set of the batch a number of its own', () => {
    const two = rule(match('tcp dport', oneOf(1, 2)), match('tcp sport', oneOf(3, 4)), accept);
    const all = ruleset('t', table('ip', 't', { chains: [chain('a', [two, two])] }));
    const sets = parts(compile(all)).filter(({ type }) => type === ((10 << 8) | 9));
    const SET_ID = 10;
    const ids = sets.map(({ payload }) => payload.indexOf(Buffer.of(8, 0, SET_ID, 0)));
    const numbers = sets.map(({ payload }, index) => payload.readUInt32BE((ids[index] ?? 0) + 4));
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it('refuses what is not sound, and says where a value is none', () => {
    expect(() => compile(ruleset('t', table('ip', 'a b')))).toThrow(
      expect.objectContaining({ code: 'NFTABLES_UNSOUND' }),
    );
    const wrong = rule(match('tcp dport', 1), dnat({ address: '10.0.0.1', port: 70_000 }));
    expect(() =>
      compile(ruleset('t', table('ip', 't', { chains: [chain('c', [rule(accept), wrong])] }))),
    ).toThrow('adding rule 2 to chain c of table ip t: 70000 is not a port');
    expect(() => compile(ruleset('not an owner', table('ip', 't')))).toThrow(/is not an owner/);
  });
});
