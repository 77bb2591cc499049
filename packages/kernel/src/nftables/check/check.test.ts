import { describe, expect, it } from 'vitest';
import type { Change } from '../diff/index.ts';
import {
  accept,
  addToSet,
  baseChain,
  between,
  type Chain,
  chain,
  count,
  decideBy,
  dnat,
  element,
  entry,
  inSet,
  jump,
  limit,
  log,
  lookUp,
  map,
  masquerade,
  match,
  type Rule,
  redirect,
  reject,
  rule,
  ruleset,
  type SetOrMap,
  set,
  type Table,
  table,
} from '../model/public.ts';
import { shapes } from '../testing/shapes.ts';
import { checkChanges, checkRuleset, problemsOf } from './check.ts';

const base = (...rules: readonly Rule[]): Chain =>
  baseChain('base', { type: 'nat', hook: 'prerouting', priority: -100 }, rules);
const withRule = (...statements: Rule['statements']): Table =>
  table('ip', 't', { chains: [base(rule(...statements))] });
const withSets = (...sets: readonly SetOrMap[]): Table => table('ip', 't', { sets });
const clients = set('clients', { key: 'ipv4_addr' });
const ports = map('ports', { key: 'inet_service', data: ['ipv4_addr', 'inet_service'] });

describe('the check of a ruleset', () => {
  it.each(shapes)('finds nothing wrong with $name', (shape) => {
    expect(problemsOf(shape.ruleset)).toEqual([]);
  });

  it.each<[string, readonly Table[]]>([
    ['table ip t is there twice', [table('ip', 't'), table('ip', 't')]],
    ['table ip t x: "t x" is no name', [table('ip', 't x')]],
    ['chain a is there twice', [table('ip', 't', { chains: [chain('a'), chain('a')] })]],
    [
      'set or map s is there twice',
      [withSets(set('s', { key: 'mark' }), map('s', { key: 'mark', data: 'mark' }))],
    ],
    ['set s: its keys have no type', [withSets(set('s', { key: [] }))]],
    [
      'set s: its keys are too long',
      [withSets(set('s', { key: ['ipv6_addr', 'ipv6_addr', 'ipv6_addr', 'ipv6_addr', 'mark'] }))],
    ],
    [
      'set s: values of its types have no order for ranges',
      [withSets(set('s', { key: 'mark', intervals: true }))],
    ],
    ['map m: its data has no type', [withSets(map('m', { key: 'mark', data: [] }))]],
    [
      'set s: its element ["fd00::0"] is there twice',
      [withSets(set('s', { key: 'ipv6_addr' }, [element('fd00::'), element('fd00::0')]))],
    ],
    [
      'map m: its element [80] is there twice',
      [withSets(map('m', { key: 'inet_service', data: 'mark' }, [entry(80, 1), entry(80, 2)]))],
    ],
    [
      'set s: its element ["10.0.0.1/8"] is there twice',
      [
        withSets(
          set('s', { key: 'ipv4_addr', intervals: true }, [element('10.0.0.0/8'), element('10.0.0.1/8')]),
        ),
      ],
    ],
    [
      'set s: an element has a timeout, and the set takes none',
      [withSets(set('s', { key: 'mark' }, [element(1, { timeoutMs: 1000 })]))],
    ],
    [
      'set s: a timeout of 1050 ms is not a multiple of 100 ms',
      [withSets(set('s', { key: 'mark', timeoutMs: 1050 }))],
    ],
    [
      'map m: there is no chain nowhere to go to',
      [withSets(map('m', { key: 'mark', data: 'verdict' }, [entry(1, jump('nowhere'))]))],
    ],
    ['chain base, rule 1: there is no chain nowhere to go to', [withRule(jump('nowhere'))]],
    ['chain base, rule 1: chain base is a base chain: nothing can go to it', [withRule(jump('base'))]],
    ['chain base, rule 1: there is no set clients', [withRule(match('ip saddr', inSet('clients')))]],
    [
      'chain base, rule 1: set clients is keyed by ipv4_addr, not by inet_service',
      [{ ...withRule(match('tcp dport', inSet('clients'))), sets: [clients] }],
    ],
    [
      'chain base, rule 1: there is no map clients',
      [{ ...withRule(decideBy('ip saddr', 'clients')), sets: [clients] }],
    ],
    [
      'chain base, rule 1: there is no set ports',
      [{ ...withRule(match('tcp dport', inSet('ports'))), sets: [ports] }],
    ],
    [
      'chain base, rule 1: set clients is not dynamic: rules cannot change it',
      [{ ...withRule(addToSet('clients', 'ip saddr')), sets: [clients] }],
    ],
    ['chain base, rule 1: there is no counter seen', [withRule(count('seen'))]],
    [
      'chain base, rule 1: it looks up nothing',
      [{ ...withRule(match([], inSet('clients'))), sets: [clients] }],
    ],
    [
      'chain base, rule 1: a packet that is tcp is never udp',
      [withRule(match('tcp dport', 1), match('udp dport', 1))],
    ],
    [
      'chain base, rule 1: only TCP can be reset, and no match before it says that it is TCP',
      [withRule(match('th dport', 1), reject('tcp-reset'))],
    ],
    ['chain base, rule 1: it says nothing', [withRule()]],
    [
      'chain base, rule 1: the rate of a limit is 1.5, and has to be a whole number from 1 to 9007199254740991',
      [withRule(limit(1.5, 'second'))],
    ],
    ['chain base, rule 1: the burst of a limit is -1', [withRule(limit(1, 'second', { burst: -1 }))]],
    ['chain base, rule 1: the group of a log is 65536', [withRule(log({ group: 65_536 }))]],
    ['chain base, rule 1: the prefix "a \\"b\\"" of a log', [withRule(log({ prefix: 'a "b"' }))]],
    [
      'chain base, rule 1: a count of packets is -1',
      [withRule({ kind: 'counter', tally: { packets: -1, bytes: 0 } })],
    ],
    [
      'counter n: a count of bytes is NaN',
      [table('ip', 't', { counters: [{ name: 'n', tally: { packets: 0, bytes: Number.NaN } }] })],
    ],
    ['set s: its size is 0', [withSets(set('s', { key: 'mark', size: 0 }))]],
    [
      'chain c: its priority is 2147483648',
      [table('ip', 't', { chains: [baseChain('c', { type: 'filter', hook: 'input', priority: 2 ** 31 })] })],
    ],
    [
      'chain a leads back to itself',
      [table('ip', 't', { chains: [chain('a', [rule(jump('b'))]), chain('b', [rule(jump('a'))])] })],
    ],
    [
      'chain a leads back to itself',
      [
        table('ip', 't', {
          sets: [map('m', { key: 'mark', data: 'verdict' }, [entry(1, jump('a'))])],
          chains: [chain('a', [rule(decideBy('meta mark', 'm'))])],
        }),
      ],
    ],
  ])('finds: %s', (problem, tables) => {
    expect(problemsOf(ruleset('test', ...tables)).join('\n')).toContain(problem);
  });

  it.each<[string, Rule]>([
    ['an address and a port', rule(match('ip saddr', '10.0.0.1'), dnat({ address: '10.0.0.1', port: 80 }))],
    ['a map that answers a port', rule(dnat(lookUp('th dport', 'ports'), { family: 'ip' }))],
    ['a map in the rule that answers a port', rule(dnat(lookUp('meta mark', [[1, ['10.0.0.1', 80]]])))],
    ['a redirection', rule(redirect(80))],
    ['a masquerade', rule(masquerade({ ports: between(1, 2) }))],
  ])('wants to know the protocol before a port is rewritten: by %s', (_, one) => {
    const problem = 'a port is rewritten, and no match before it says of which transport protocol';
    const around = (...rules: readonly Rule[]): string =>
      problemsOf(ruleset('test', table('ip', 't', { sets: [ports], chains: [base(...rules)] }))).join();
    expect(around(one)).toContain(problem);
    expect(around(rule(match('meta l4proto', 'udp'), ...one.statements))).toBe('');
    expect(around(rule(match('tcp sport', 1), ...one.statements))).toBe('');
  });

  it('throws one error that names everything that is wrong', () => {
    const wrong = ruleset(
      'anchord',
      withRule(jump('a'), jump('b')),
      table('ip6', 't', { chains: [chain('x y')] }),
    );
    expect(() => checkRuleset(wrong)).toThrow(
      expect.objectContaining({
        code: 'NFTABLES_UNSOUND',
        message:
          'the ruleset of anchord is not sound: table ip t: chain base, rule 1: there is no chain a to go to; ' +
          'table ip t: chain base, rule 1: there is no chain b to go to; table ip6 t: "x y" is no name',
        details: { owner: 'anchord', problems: expect.any(Array) },
      }),
    );
    expect(() => checkRuleset(ruleset('anchord', withRule(accept)))).not.toThrow();
  });

  it('looks at the changed sets alone where nothing but elements changes, else at all', () => {
    const twice = map('m', { key: 'inet_service', data: 'ipv4_addr' }, [
      entry(25, '10.0.0.1'),
      entry(25, '10.0.0.2'),
    ]);
    const other = set('s', { key: 'mark', size: 0 });
    const desired = ruleset('anchord', table('ip', 't', { sets: [twice, other] }));
    const place = { family: 'ip', name: 't' } as const;
    const problems = (...changes: readonly Change[]): unknown => {
      try {
        return checkChanges(desired, changes);
      } catch (error) {
        return (error as { readonly details: { readonly problems: readonly string[] } }).details.problems;
      }
    };
    const duplicate = 'table ip t: map m: its element [25] is there twice';
    const size = 'table ip t: set s: its size is 0, and has to be a whole number from 1 to 4294967295';
    expect(problems()).toBeUndefined();
    expect(problems({ change: 'add-elements', table: place, set: twice, elements: [] })).toEqual([duplicate]);
    expect(problems({ change: 'empty-set', table: place, set: other })).toEqual([size]);
    expect(problems({ change: 'add-chain', table: place, chain: chain('c') })).toEqual([duplicate, size]);
  });
});
