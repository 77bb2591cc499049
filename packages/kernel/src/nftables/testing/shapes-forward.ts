/** What may pass from one network to another: nothing but what was translated, and the answers to it. */
import type { Family, Rule } from '../index.ts';
import {
  accept,
  anyBit,
  baseChain,
  chain,
  count,
  counter,
  decideBy,
  drop,
  element,
  giveBack,
  inSet,
  jump,
  limit,
  log,
  match,
  matchNot,
  noBit,
  noneOf,
  oneOf,
  priorities,
  reject,
  rule,
  ruleset,
  set,
  table,
} from '../index.ts';
import { addressFamily, allFamilies, destination, places, source } from './addresses.ts';
import type { Shape } from './shape.ts';

const kinds: Readonly<Record<string, (family: Family) => readonly Rule[]>> = {
  'by-state': () => [
    rule(match('ct state', anyBit('established', 'related')), accept),
    rule(match('ct state', 'invalid'), count(), drop),
    rule(match('iifname', 'eth0'), match('ct status', 'dnat'), accept),
    rule(match('iifname', 'eth0'), match('ct state', noBit('new', 'untracked')), accept),
    rule(match('iifname', 'eth0'), count('refused'), reject('admin-prohibited')),
  ],
  'by-original': (family) => {
    const real = addressFamily(family);
    return [
      rule(
        match(`ct original ${destination[real]}`, places[real].backend),
        match('ct direction', 'original'),
        accept,
      ),
      rule(match(`ct reply ${source[real]}`, places[real].other), match('ct direction', 'reply'), accept),
      rule(matchNot('ct status', 'dnat'), match('oifname', oneOf('br-a', 'br-b')), drop),
      rule(match('ct state', oneOf('new', 'established')), jump('checks')),
    ];
  },
  'by-verdict-map': (family) => {
    const real = addressFamily(family);
    return [
      rule(
        decideBy('ct state', [
          ['established', accept],
          ['related', accept],
          ['invalid', drop],
        ]),
      ),
      rule(
        decideBy(
          ['iifname', 'oifname'],
          [
            [['eth0', 'br-a'], jump('checks')],
            [['br-a', 'eth0'], accept],
          ],
        ),
      ),
      rule(
        match(destination[real], inSet('internal')),
        limit(5, 'second', { burst: 10 }),
        log({ prefix: 'refused: ' }),
      ),
      rule(match(destination[real], noneOf(places[real].transit)), giveBack),
      rule(reject()),
    ];
  },
};

function forwardShape(family: Family, kind: string, rules: readonly Rule[]): Shape {
  const real = addressFamily(family);
  return {
    name: `forward-${family}-${kind}`,
    ruleset: ruleset(
      'anchord',
      table(family, 'guard', {
        counters: [counter('refused')],
        sets: [set('internal', { key: places[real].type, intervals: true }, [element(places[real].odd)])],
        chains: [
          chain('checks', [rule(match('tcp dport', 22), reject('tcp-reset')), rule(count())]),
          baseChain(
            'forward',
            { type: 'filter', hook: 'forward', priority: priorities.filter, policy: 'drop' },
            rules,
          ),
        ],
      }),
    ),
  };
}

export const forwardShapes: readonly Shape[] = allFamilies.flatMap((family) =>
  Object.entries(kinds).map(([kind, rules]) => forwardShape(family, kind, rules(family))),
);
