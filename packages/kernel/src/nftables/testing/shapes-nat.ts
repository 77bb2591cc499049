/** A project's address on the LAN: what the packet must meet × how the backend is found × what else is asked for. */
import type { Chain, Rule, SetOrMap, Statement } from '../index.ts';
import {
  accept,
  anyBit,
  baseChain,
  between,
  chain,
  commented,
  count,
  counter,
  decideBy,
  dnat,
  element,
  entry,
  go,
  jump,
  lookUp,
  map,
  masquerade,
  match,
  matchNot,
  notInSet,
  oneOf,
  priorities,
  rule,
  ruleset,
  set,
  table,
} from '../index.ts';
import { bothFamilies, places } from './addresses.ts';
import type { Shape } from './shape.ts';

type Family = (typeof bothFamilies)[number];

const guards: Readonly<Record<string, Statement>> = {
  local: match('fib daddr type', 'local'),
  'local-here': match('fib daddr . iif type', 'local'),
  interface: match('iifname', 'eth0'),
};

interface Finder {
  readonly sets: readonly SetOrMap[];
  readonly chains?: readonly Chain[];
  readonly rules: (guard: Statement) => readonly Rule[];
}

/** As operators know it: a map of ports for each protocol, and a chain for ports that become others. */
function plain(family: Family): Finder {
  const { type, backend, other } = places[family];
  return {
    sets: [
      map('dnat_tcp', { key: 'inet_service', data: type }, [entry(25, backend), entry(443, other)]),
      map('dnat_udp', { key: 'inet_service', data: type }, [entry(53, backend)]),
    ],
    chains: [
      chain('dnat_xlat_tcp', [rule(match('tcp dport', 636), dnat({ address: backend, port: 1636 }))]),
      chain('dnat_xlat_udp'),
    ],
    rules: (guard) =>
      (['tcp', 'udp'] as const).flatMap((protocol) => [
        rule(guard, match('meta l4proto', protocol), jump(`dnat_xlat_${protocol}`)),
        rule(
          guard,
          match('meta l4proto', protocol),
          dnat(lookUp(`${protocol} dport`, `dnat_${protocol}`), { family }),
        ),
      ]),
  };
}

/** The map answers address and port in one look-up. */
function withPort(family: Family): Finder {
  const { type, backend, other } = places[family];
  const types = { key: 'inet_service', data: [type, 'inet_service'] } as const;
  return {
    sets: [
      map('ports_tcp', types, [entry(80, [backend, 8080], { comment: 'web' }), entry(25, [other, 25])]),
      map('ports_udp', types, [entry(53, [backend, 5353])]),
    ],
    rules: (guard) =>
      (['tcp', 'udp'] as const).map((protocol) =>
        rule(guard, dnat(lookUp(`${protocol} dport`, `ports_${protocol}`), { family })),
      ),
  };
}

/** One map for all protocols. */
function byProtocol(family: Family): Finder {
  const { type, backend, other } = places[family];
  const types = { key: ['inet_proto', 'inet_service'], data: [type, 'inet_service'] } as const;
  return {
    sets: [map('ports', types, [entry(['tcp', 80], [backend, 8080]), entry(['udp', 80], [other, 80])])],
    rules: (guard) => [rule(guard, dnat(lookUp(['meta l4proto', 'th dport'], 'ports'), { family }))],
  };
}

/** Whole ranges of ports go to one backend. */
function ranges(family: Family): Finder {
  const { type, backend, other } = places[family];
  return {
    sets: [
      map('ranges', { key: 'inet_service', data: type, intervals: true }, [
        entry(between(1000, 1999), backend),
        entry(between(2000, 2999), other),
        entry(5000, backend),
        entry(between(65_000, 65_535), other),
      ]),
    ],
    rules: (guard) => [
      rule(guard, dnat(lookUp('tcp dport', 'ranges'), { family })),
      rule(guard, dnat(lookUp('udp dport', 'ranges'), { family, flags: ['persistent'] })),
    ],
  };
}

/** A chain for each port, with its own counter. */
function chains(family: Family): Finder {
  const { backend, other } = places[family];
  return {
    sets: [
      map('by_port', { key: 'inet_service', data: 'verdict' }, [
        entry(25, jump('smtp')),
        entry(443, go('web')),
        entry(9, accept),
      ]),
    ],
    chains: [
      chain('smtp', [rule(count('smtp'), dnat({ address: backend }))], 'mail comes in here'),
      chain('web', [rule(match('meta l4proto', 'tcp'), count(), dnat({ address: other, port: 8443 }))]),
    ],
    rules: (guard) => [commented('each port has its chain', guard, decideBy('tcp dport', 'by_port'))],
  };
}

const finders = { plain, 'with-port': withPort, 'by-protocol': byProtocol, ranges, chains };

function natShape(family: Family, finderName: keyof typeof finders, guardName: string): Shape {
  const finder = finders[finderName](family);
  const guard = guards[guardName] ?? match('iifname', guardName);
  return {
    name: `nat-${family}-${finderName}-${guardName}`,
    ruleset: ruleset(
      'anchord',
      table(family, family === 'ip' ? 'anchord_v4' : 'anchord_v6', {
        counters: [counter('smtp', 'connections to the mail server')],
        sets: finder.sets,
        chains: [
          ...(finder.chains ?? []),
          baseChain(
            'prerouting',
            { type: 'nat', hook: 'prerouting', priority: priorities.dstnat },
            finder.rules(guard),
          ),
          baseChain('postrouting', { type: 'nat', hook: 'postrouting', priority: priorities.srcnat }, [
            commented('hairpin', matchNot('iifname', 'eth0'), match('ct status', 'dnat'), masquerade()),
            rule(match('oifname', 'eth0'), masquerade()),
          ]),
        ],
      }),
    ),
  };
}

/** Leaves the project by an address of its own, but not towards its own networks. */
function egressShape(family: Family): Shape {
  const { type, backend, transit } = places[family];
  const daddr = family === 'ip' ? 'ip daddr' : 'ip6 daddr';
  const saddr = family === 'ip' ? 'ip saddr' : 'ip6 saddr';
  return {
    name: `nat-${family}-egress`,
    ruleset: ruleset(
      'anchord',
      table(family, 'egress', {
        comment: 'how containers leave',
        sets: [set('internal', { key: type, intervals: true }, [element(transit)])],
        chains: [
          baseChain('postrouting', { type: 'nat', hook: 'postrouting', priority: priorities.srcnat + 1 }, [
            rule(
              match('oifname', oneOf('eth0', 'lan*')),
              match(daddr, notInSet('internal')),
              masquerade({ flags: ['random', 'persistent'] }),
            ),
            rule(match('oifname', 'wan*'), match(saddr, transit), masquerade({ flags: ['fully-random'] })),
            rule(match('meta l4proto', oneOf('tcp', 'udp')), masquerade({ ports: between(1024, 65_535) })),
            rule(match('ct state', anyBit('new', 'related')), match(saddr, backend), accept),
          ]),
        ],
      }),
    ),
  };
}

export const natShapes: readonly Shape[] = [
  ...bothFamilies.flatMap((family) =>
    (Object.keys(finders) as (keyof typeof finders)[]).flatMap((finder) =>
      Object.keys(guards).map((guard) => natShape(family, finder, guard)),
    ),
  ),
  ...bothFamilies.map(egressShape),
];
