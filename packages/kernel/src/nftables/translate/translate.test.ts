import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression } from '../model/index.ts';
import {
  accept,
  count,
  masked,
  match,
  reject,
  type Statement,
  setMark,
  type Table,
  table,
} from '../model/public.ts';
import { arbitraryRuleset } from '../testing/arbitrary-rulesets.ts';
import { shapes } from '../testing/shapes.ts';
import { lowerStatements } from './lower.ts';
import { raiseStatements } from './raise.ts';

const ip = table('ip', 't');
const inet = table('inet', 't');

const rulesOf = ({ chains }: Table): (readonly Statement[])[] =>
  chains.flatMap(({ rules }) => rules.map(({ statements }) => statements));

/** To expressions, back, and to expressions again. */
function roundTrip(one: Table, statements: readonly Statement[]): void {
  const expressions = lowerStatements(one, statements);
  const raised = raiseStatements(one, expressions);
  expect(raised.some(({ kind }) => kind === 'opaque')).toBe(false);
  expect(lowerStatements(one, raised)).toEqual(expressions);
}

describe('statements as expressions', () => {
  it.each(shapes)('of $name come back as what they were', ({ ruleset }) => {
    for (const one of ruleset.tables) for (const statements of rulesOf(one)) roundTrip(one, statements);
  });

  it('of random rules come back as what they were', () => {
    fc.assert(
      fc.property(arbitraryRuleset, ({ tables }) => {
        for (const one of tables) for (const statements of rulesOf(one)) roundTrip(one, statements);
      }),
      { numRuns: 60 },
    );
  });

  it('ask for a protocol once, right before the first field that needs it', () => {
    const asked = lowerStatements(inet, [
      count(),
      match('ip saddr', '10.0.0.1'),
      match('tcp dport', 1),
      match('tcp sport', 2),
    ]);
    expect(asked.map(({ is }) => is)).toEqual([
      ...['counter', 'meta', 'cmp', 'payload', 'cmp'],
      ...['meta', 'cmp', 'payload', 'cmp', 'payload', 'cmp'],
    ]);
  });

  it('do not show a question that was only asked for the next field', () => {
    const plain = [match('tcp dport', 80), accept];
    const explicit = [match('meta l4proto', 'tcp'), ...plain];
    expect(raiseStatements(ip, lowerStatements(ip, explicit))).toEqual(plain);
    const apart = [match('meta l4proto', 'tcp'), count(), ...plain];
    expect(raiseStatements(ip, lowerStatements(ip, apart))).toEqual(apart);
  });

  it('refuse fields that packets of the table do not have', () => {
    expect(() => lowerStatements(ip, [match('ip6 saddr', 'fd00::1')])).toThrow(
      '"ip6 saddr" is not a field of packets in an ip table',
    );
  });

  it('refuse marks that are none', () => {
    expect(() => lowerStatements(ip, [setMark('meta', 2 ** 32)])).toThrow('4294967296 is not a mark');
    expect(() => lowerStatements(ip, [setMark('ct', 1, -1)])).toThrow('-1 is not a mark');
    expect(() => lowerStatements(ip, [match('meta mark', masked(1, 2 ** 32))])).toThrow(
      '4294967296 is not a mark',
    );
  });

  it('refuse a match that every packet meets', () => {
    expect(() => lowerStatements(ip, [match('ip saddr', '0.0.0.0/0')])).toThrow(/every packet/);
  });
});

describe('expressions that are none of ours', () => {
  const load: Expression = { is: 'payload', base: 1, offset: 12, bytes: 4, into: 0 };
  const compare: Expression = { is: 'cmp', operator: '==', from: 0, value: '0a000001' };

  it.each<[string, Table, readonly Expression[]]>([
    ['an address in an inet table before its family is known', inet, [load, compare]],
    ['a comparison that nft never makes', ip, [load, { ...compare, operator: '<' }]],
    ['a comparison with another register', ip, [load, { ...compare, from: 4 }]],
    ['a value of another width', ip, [load, { ...compare, value: '0a00' }]],
    ['half a range', ip, [load, { ...compare, operator: '>=' }]],
    [
      'a mask that is no network',
      ip,
      [load, { is: 'bitwise', from: 0, into: 0, mask: 'ff00ff00', xor: '00000000' }, compare],
    ],
    ['a load that nothing uses', ip, [load]],
    [
      'an unknown field',
      ip,
      [
        { is: 'meta', key: 10, into: 0 },
        { ...compare, value: '00000000' },
      ],
    ],
    [
      'a translation of what was never loaded',
      ip,
      [{ is: 'nat', direction: 'dnat', family: 'ip', address: { low: 0 }, flags: 0 }],
    ],
    ['an object of another kind', ip, [{ is: 'objref', type: 2, name: 'quota' }]],
    ['a rejection with another code', ip, [{ is: 'reject', type: 0, code: 99 }]],
    ['one that we cannot even read', ip, [{ is: 'opaque', name: 'xfrm', bytes: '00' }]],
  ])('stay opaque: %s', (_, one, expressions) => {
    const raised = raiseStatements(one, expressions);
    expect(raised).toEqual([{ kind: 'opaque', expressions }]);
    expect(lowerStatements(one, raised)).toEqual(expressions);
  });

  it('do not hide the statements around them', () => {
    const odd: Expression = { is: 'opaque', name: 'xfrm', bytes: '00' };
    const expressions = [odd, ...lowerStatements(ip, [match('tcp dport', 80), reject()]), odd];
    expect(raiseStatements(ip, expressions).map(({ kind }) => kind)).toEqual([
      'opaque',
      'match',
      'reject',
      'opaque',
    ]);
  });

  it('come through unchanged, in whatever order they stand', () => {
    const known = shapes.flatMap(({ ruleset }) =>
      ruleset.tables.flatMap((one) => rulesOf(one).flatMap((statements) => lowerStatements(one, statements))),
    );
    const some = fc.array(
      fc.nat(known.length - 1).map((index) => known[index]!),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, fc.constantFrom(ip, inet, table('ip6', 't')), (expressions, one) => {
        expect(lowerStatements(one, raiseStatements(one, expressions))).toEqual(expressions);
      }),
      { numRuns: 500 },
    );
  });
});
