/** Each statement and each form of a match, family by family. */
import type { ChainType, Family, Hook, Rule } from '../index.ts';
import {
  accept,
  baseChain,
  between,
  chain,
  commented,
  copyMark,
  count,
  counter,
  decideBy,
  dnat,
  drop,
  giveBack,
  go,
  limit,
  log,
  lookUp,
  masked,
  match,
  matchNot,
  noneOf,
  notrack,
  oneOf,
  priorities,
  redirect,
  reject,
  rule,
  ruleset,
  setMark,
  snat,
  table,
  tproxy,
} from '../index.ts';
import { addressFamily, allFamilies, destination, places, source } from './addresses.ts';
import type { Shape } from './shape.ts';

interface Kind {
  readonly type?: ChainType;
  readonly hook: Hook;
  readonly priority?: number;
  readonly rules: (family: Family) => readonly Rule[];
}

const here = (family: Family) => {
  const real = addressFamily(family);
  return { real, ...places[real], saddr: source[real], daddr: destination[real] };
};

const kinds: Readonly<Record<string, Kind>> = {
  addresses: {
    hook: 'input',
    rules(family) {
      const { saddr, daddr, backend, transit, far, odd, from, to } = here(family);
      return [
        rule(match(saddr, backend), match(daddr, transit), accept),
        rule(matchNot(saddr, odd), match(daddr, odd), drop),
        rule(match(saddr, between(from, to)), matchNot(daddr, between(from, to)), drop),
        rule(match(saddr, oneOf(transit, far)), match(daddr, noneOf(backend, from)), giveBack),
        rule(match([saddr, 'tcp dport'], oneOf([far, 80], [transit, between(90, 99)])), accept),
        rule(
          match('fib saddr type', oneOf('local', 'broadcast')),
          matchNot('fib daddr type', 'unicast'),
          drop,
        ),
      ];
    },
  },
  ports: {
    hook: 'input',
    rules: () => [
      rule(match('tcp dport', 80), match('tcp sport', between(1024, 65_535)), accept),
      rule(
        matchNot('udp dport', between(5000, 5010)),
        match('udp sport', oneOf(53, between(60, 70))),
        accept,
      ),
      rule(match('meta l4proto', oneOf('tcp', 'udp')), match('th dport', 53), accept),
      rule(match('meta l4proto', 'tcp'), count(), match('tcp dport', 53), drop),
      rule(match('th sport', noneOf(1, 2, 3)), matchNot('meta l4proto', 'sctp'), drop),
    ],
  },
  links: {
    hook: 'input',
    rules: () => [
      rule(match('iifname', 'eth0'), matchNot('iifname', 'lo'), accept),
      rule(match('iifname', 'veth*'), matchNot('iifname', 'docker*'), accept),
      rule(match('iifname', oneOf('a', 'b', 'br-*')), match('meta pkttype', 'broadcast'), drop),
    ],
  },
  marks: {
    hook: 'prerouting',
    priority: priorities.mangle,
    rules: () => [
      rule(match('meta mark', 0x10), match('ct mark', masked(0x20, 0xf0)), accept),
      rule(matchNot('meta mark', 1), match('meta mark', oneOf(1, 2)), accept),
      rule(setMark('meta', 0xffff_ffff), setMark('ct', 7)),
      rule(setMark('meta', 0x0a00, 0xff00), setMark('ct', 0xf, 0xf)),
      rule(copyMark('ct', 'meta'), copyMark('meta', 'ct')),
    ],
  },
  connections: {
    hook: 'input',
    rules: () => [
      rule(match('ct state', 'established'), matchNot('ct state', 'new'), accept),
      rule(match('ct status', 'assured'), match('ct direction', 'reply'), accept),
      rule(
        decideBy('ct state', [
          ['invalid', drop],
          ['new', go('next')],
        ]),
      ),
      rule(
        decideBy('tcp dport', [
          [80, accept],
          [between(90, 99), drop],
        ]),
      ),
    ],
  },
  effects: {
    hook: 'input',
    rules: () => [
      rule(match('tcp dport', 1), reject('tcp-reset')),
      rule(match('udp dport', 1), reject()),
      rule(match('udp dport', 2), reject('host-unreachable')),
      rule(match('udp dport', 3), reject('no-route')),
      rule(match('udp dport', 4), reject('admin-prohibited')),
      rule(limit(10, 'minute'), log({ prefix: 'slow ' }), accept),
      rule(limit(1000, 'second', { over: true, burst: 50 }), drop),
      rule(limit(2_000_000, 'second', { of: 'bytes', over: true }), drop),
      rule(
        limit(500, 'hour', { of: 'bytes', burst: 100 }),
        log({ level: 'debug' }),
        log({ group: 5, prefix: 'x' }),
      ),
      commented('all of it', count(), count('seen'), accept),
    ],
  },
  translation: {
    type: 'nat',
    hook: 'prerouting',
    priority: priorities.dstnat,
    rules(family) {
      const { backend, other, from, to, daddr } = here(family);
      return [
        rule(match('tcp dport', 80), dnat({ address: backend, port: 8080 })),
        rule(match('tcp dport', 81), dnat({ address: backend }, { flags: ['random'] })),
        rule(match('udp dport', 82), dnat({ address: { from, to }, port: between(1000, 1010) })),
        rule(match('tcp dport', 83), dnat({ port: 84 }, { family })),
        rule(
          dnat(
            lookUp('tcp dport', [
              [90, backend],
              [between(91, 95), other],
            ]),
          ),
        ),
        rule(
          dnat(
            lookUp('udp dport', [
              [90, [backend, 900]],
              [91, [other, 910]],
            ]),
          ),
        ),
        rule(
          dnat(
            lookUp(
              [daddr, 'tcp dport'],
              [
                [
                  [backend, 99],
                  [other, 999],
                ],
              ],
            ),
          ),
        ),
        rule(match('tcp dport', 53), redirect(5353)),
        rule(match('udp dport', between(60, 69)), redirect(between(6000, 6009), ['persistent'])),
        rule(redirect()),
      ];
    },
  },
  'source-translation': {
    type: 'nat',
    hook: 'postrouting',
    priority: priorities.srcnat,
    rules(family) {
      const { backend, from, to, saddr } = here(family);
      return [
        rule(match('oifname', 'eth0'), snat({ address: backend })),
        rule(
          match('meta l4proto', 'udp'),
          snat({ address: { from, to }, port: between(2000, 3000) }, { flags: ['persistent'] }),
        ),
        rule(snat(lookUp(saddr, [[backend, from]]))),
      ];
    },
  },
  untracked: {
    hook: 'prerouting',
    priority: priorities.raw,
    rules: () => [
      rule(match('iifname', 'lo'), notrack),
      rule(match('udp dport', 53), notrack, count(), accept),
    ],
  },
  proxy: {
    hook: 'prerouting',
    priority: priorities.mangle,
    rules(family) {
      const { real } = here(family);
      const address = real === 'ip' ? '127.0.0.1' : '::1';
      return [
        rule(match('tcp dport', 80), tproxy(real, { address, port: 8080 })),
        rule(match('udp dport', 53), tproxy(real, { port: 5353 })),
        rule(match('meta l4proto', 'tcp'), tproxy(real, { address })),
      ];
    },
  },
};

const onlyV4: readonly Rule[] = [
  rule(match('icmp type', 'echo-request'), accept),
  rule(match('icmp type', oneOf('destination-unreachable', 'time-exceeded')), accept),
  rule(match('ip protocol', 'udp'), drop),
];
const onlyV6: readonly Rule[] = [
  rule(match('icmpv6 type', 'echo-request'), accept),
  rule(match('icmpv6 type', oneOf('nd-neighbor-solicit', 'nd-neighbor-advert')), accept),
  rule(match('ip6 nexthdr', 'tcp'), drop),
];
const control: Kind = {
  hook: 'input',
  rules: (family) => [...(family === 'ip6' ? [] : onlyV4), ...(family === 'ip' ? [] : onlyV6)],
};
const networks: Kind = {
  hook: 'input',
  rules: () => [
    rule(match('meta nfproto', 'ipv4'), match('ip saddr', '10.0.0.1'), drop),
    rule(match('ip saddr', '10.0.0.1'), match('ip daddr', '10.0.0.2'), match('tcp dport', 1), drop),
    rule(match('ip6 saddr', 'fe80::/10'), match('icmpv6 type', 'nd-redirect'), drop),
    rule(match('meta nfproto', oneOf('ipv4', 'ipv6')), accept),
  ],
};

function statementShape(
  family: Family,
  name: string,
  { type = 'filter', hook, priority = 0, rules }: Kind,
): Shape {
  return {
    name: `rules-${family}-${name}`,
    ruleset: ruleset(
      'statements',
      table(family, 'words', {
        counters: [counter('seen')],
        chains: [chain('next'), baseChain('base', { type, hook, priority }, rules(family))],
      }),
    ),
  };
}

export const statementShapes: readonly Shape[] = [
  ...allFamilies.flatMap((family) =>
    Object.entries({ ...kinds, control }).map(([name, kind]) => statementShape(family, name, kind)),
  ),
  statementShape('inet', 'networks', networks),
];
