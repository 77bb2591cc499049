import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accept,
  baseChain,
  chain,
  commented,
  count,
  counter,
  dnat,
  drop,
  element,
  entry,
  lookUp,
  map,
  match,
  oneOf,
  type Rule,
  type Ruleset,
  rule,
  ruleset,
  type SetOrMap,
  set,
  type Table,
  table,
} from '../model/public.ts';
import { arbitraryRuleset } from '../testing/arbitrary-rulesets.ts';
import { shapes } from '../testing/shapes.ts';
import { commandsOfChanges } from './changes.ts';
import { diff } from './diff.ts';

const of = (content: Partial<Table>): Ruleset => ruleset('test', { ...table('ip', 't'), ...content });
const name = { family: 'ip', name: 't' } as const;
const kinds = (before: Ruleset, after: Ruleset): string[] => diff(before, after).map(({ change }) => change);

const withRules = (...rules: readonly Rule[]): Ruleset => of({ chains: [chain('c', rules)] });
/** As rules come from the kernel. */
const numbered = (...rules: readonly Rule[]): Rule[] =>
  rules.map((one, index) => ({ ...one, handle: 10 + index }));

describe('the difference of rulesets', () => {
  it('is nothing where they are the same', () => {
    for (const shape of shapes) expect(diff(shape.ruleset, structuredClone(shape.ruleset))).toEqual([]);
    fc.assert(
      fc.property(arbitraryRuleset, (one) => {
        expect(diff(one, structuredClone(one))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('is nothing where they say the same in other words', () => {
    const before = of({
      sets: [
        set('s', { key: ['ipv6_addr', 'inet_proto'] }, [
          element(['fd00::', 'tcp']),
          element(['fd00::1', 17]),
        ]),
        set('n', { key: 'ipv4_addr', intervals: true }, [element('10.0.0.0/8')]),
        map('m', { key: 'mark', data: 'ipv6_addr' }, [entry(1, 'FD00::0')]),
      ],
      chains: [
        chain('c', [
          rule(match('meta l4proto', 'tcp'), match('tcp dport', oneOf(1, 2)), count()),
          rule(
            match('ip saddr', '10.1.2.3/8'),
            dnat(
              lookUp('tcp dport', [
                [1, '10.0.0.1'],
                [2, '10.0.0.2'],
              ]),
            ),
          ),
        ]),
      ],
    });
    const after = of({
      sets: [
        map('m', { key: 'mark', data: 'ipv6_addr' }, [entry(1, 'fd00::')]),
        set('n', { key: 'ipv4_addr', intervals: true }, [
          element({ from: '10.0.0.0', to: '10.255.255.255' }),
        ]),
        set('s', { key: ['ipv6_addr', 'inet_proto'] }, [
          element(['fd00::1', 'udp']),
          element(['FD00::0', 6]),
        ]),
      ],
      chains: [
        chain('c', [
          rule(match('tcp dport', oneOf(2, 1)), { kind: 'counter', tally: { packets: 5, bytes: 6 } }),
          rule(
            match('ip saddr', '10.0.0.0/8'),
            dnat(
              lookUp('tcp dport', [
                [2, '10.0.0.2'],
                [1, '10.0.0.1'],
              ]),
            ),
          ),
        ]),
      ],
    });
    expect(diff(before, after)).toEqual([]);
    expect(diff(after, before)).toEqual([]);
  });

  it('of a rule in the middle is that rule', () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((port) => rule(match('tcp dport', port), accept)) as [
      Rule,
      Rule,
      Rule,
      Rule,
    ];
    expect(diff(withRules(...numbered(a, b, c)), withRules(a, d, c))).toEqual([
      { change: 'delete-rule', table: name, chain: 'c', handle: 11 },
      { change: 'add-rule', table: name, chain: 'c', rule: d, number: 2, before: 12 },
    ]);
    expect(diff(withRules(...numbered(a, b)), withRules(a, b, c, d))).toEqual([
      { change: 'add-rule', table: name, chain: 'c', rule: c, number: 3 },
      { change: 'add-rule', table: name, chain: 'c', rule: d, number: 4 },
    ]);
    expect(kinds(withRules(...numbered(a, b, c, d)), withRules(d, a, b, c))).toEqual([
      'delete-rule',
      'add-rule',
    ]);
    expect(kinds(withRules(...numbered(a, a, a)), withRules(a))).toEqual(['delete-rule', 'delete-rule']);
  });

  it('of a chain whose rules have no handles is the whole chain', () => {
    const [a, b] = [rule(accept), rule(drop)];
    expect(diff(withRules(a), withRules(b, a))).toEqual([
      { change: 'empty-chain', table: name, chain: 'c' },
      { change: 'add-rule', table: name, chain: 'c', rule: b, number: 1 },
      { change: 'add-rule', table: name, chain: 'c', rule: a, number: 2 },
    ]);
  });

  it('of the comment of a rule is that rule', () => {
    expect(
      kinds(withRules(...numbered(commented('old', accept))), withRules(commented('new', accept))),
    ).toEqual(['delete-rule', 'add-rule']);
  });

  const ports = (...entries: readonly [number, string, string?][]): Ruleset =>
    of({
      sets: [
        map(
          'm',
          { key: 'inet_service', data: 'ipv4_addr' },
          entries.map(([port, to, comment]) => entry(port, to, comment === undefined ? {} : { comment })),
        ),
      ],
    });

  it('of elements is those that differ', () => {
    expect(
      diff(
        ports([1, '10.0.0.1'], [2, '10.0.0.1'], [3, '10.0.0.1']),
        ports([1, '10.0.0.1'], [2, '10.0.0.2'], [4, '10.0.0.1']),
      ),
    ).toMatchObject([
      { change: 'delete-elements', elements: [{ key: [2] }, { key: [3] }] },
      { change: 'add-elements', elements: [{ key: [2], data: ['10.0.0.2'] }, { key: [4] }] },
    ]);
    expect(
      kinds(ports([1, '10.0.0.1', 'a'], [2, '10.0.0.1']), ports([1, '10.0.0.1', 'b'], [2, '10.0.0.1'])),
    ).toEqual(['delete-elements', 'add-elements']);
  });

  it('of all elements at once empties the map', () => {
    expect(kinds(ports([1, '10.0.0.1'], [2, '10.0.0.1']), ports([1, '10.0.0.2'], [2, '10.0.0.2']))).toEqual([
      'empty-set',
      'add-elements',
    ]);
    expect(kinds(ports([1, '10.0.0.1']), ports())).toEqual(['empty-set']);
  });

  it('of elements that were only counted and are about to go is nothing', () => {
    const timed = { key: 'ipv4_addr', timeouts: true, counted: true } as const;
    const read = { key: ['10.0.0.1'], timeoutMs: 1000, expiresMs: 10, tally: { packets: 1, bytes: 2 } };
    expect(
      diff(
        of({ sets: [set('s', timed, [read])] }),
        of({ sets: [set('s', timed, [element('10.0.0.1', { timeoutMs: 1000 })])] }),
      ),
    ).toEqual([]);
  });

  it.each<[string, SetOrMap]>([
    ['its type', set('s', { key: 'ipv6_addr' })],
    ['its ranges', set('s', { key: 'ipv4_addr', intervals: true })],
    ['its timeouts', set('s', { key: 'ipv4_addr', timeouts: true })],
    ['its size', set('s', { key: 'ipv4_addr', size: 5 })],
    ['its comment', set('s', { key: 'ipv4_addr', comment: 'x' })],
    ['its kind', map('s', { key: 'ipv4_addr', data: 'mark' })],
  ])('of a set in %s replaces its table', (_, changed) => {
    expect(diff(of({ sets: [set('s', { key: 'ipv4_addr' })] }), of({ sets: [changed] }))).toEqual([
      { change: 'replace-table', table: name, because: `the kind of ${changed.kind} s changed` },
    ]);
  });

  it('of what cannot be changed in place replaces the table, and says why', () => {
    const base = { type: 'filter', hook: 'input', priority: 0 } as const;
    const because = (before: Partial<Table>, after: Partial<Table>) => diff(of(before), of(after));
    expect(because({ comment: 'a' }, { comment: 'b' })).toMatchObject([{ because: 'its comment changed' }]);
    expect(because({ counters: [counter('n')] }, { counters: [counter('n', 'x')] })).toMatchObject([
      { because: 'the comment of counter n changed' },
    ]);
    expect(because({ chains: [chain('c')] }, { chains: [baseChain('c', base)] })).toMatchObject([
      { because: 'the kind of chain c changed' },
    ]);
    expect(because({ unreadable: ['set x: its types'] }, {})).toMatchObject([
      { because: 'it holds what we cannot read: set x: its types' },
    ]);
  });

  it('takes away what speaks of a thing before the thing, and adds it after', () => {
    const full = of({
      counters: [counter('n')],
      sets: [
        map('m', { key: 'mark', data: 'verdict' }, [
          entry(1, { kind: 'verdict', verdict: { verdict: 'jump', chain: 'b' } }),
        ]),
      ],
      chains: [chain('b', numbered(rule(accept))), chain('c', numbered(rule(count('n'))))],
    });
    const empty = of({});
    expect(kinds(full, empty)).toEqual([
      'empty-chain',
      'empty-chain',
      'delete-set',
      'delete-chain',
      'delete-chain',
      'delete-counter',
    ]);
    expect(kinds(empty, full)).toEqual([
      'add-counter',
      'add-chain',
      'add-chain',
      'add-set',
      'add-elements',
      'add-rule',
      'add-rule',
    ]);
  });

  it('of tables is whole tables', () => {
    const [one, other] = [table('ip', 'one'), table('ip6', 'other')];
    expect(diff(ruleset('test', one), ruleset('test', other))).toEqual([
      { change: 'delete-table', table: { family: 'ip', name: 'one' } },
      { change: 'add-table', table: { family: 'ip6', name: 'other' } },
    ]);
  });

  it('cannot be carried out towards another ruleset', () => {
    expect(() =>
      commandsOfChanges(of({}), [{ change: 'add-table', table: { family: 'ip6', name: 'x' } }]),
    ).toThrow('the changes are not for this ruleset: no table ip6 x');
  });
});
