/** Sets and maps of every kind, as the objects of a table that no rule needs. */
import type { SetOrMap } from '../index.ts';
import {
  accept,
  addToSet,
  baseChain,
  between,
  chain,
  drop,
  element,
  entry,
  go,
  inSet,
  jump,
  map,
  match,
  priorities,
  rule,
  ruleset,
  set,
  table,
  updateSet,
} from '../index.ts';
import { bothFamilies, destination, places, source } from './addresses.ts';
import type { Shape } from './shape.ts';

type Family = (typeof bothFamilies)[number];

const kinds: Readonly<Record<string, (family: Family) => readonly SetOrMap[]>> = {
  exact: (family) => {
    const { type, backend, other } = places[family];
    return [
      set('addresses', { key: type, comment: 'who may', size: 100 }, [
        element(backend, { comment: 'the first' }),
        element(other),
      ]),
      set('ports', { key: 'inet_service' }, [element(80), element(443)]),
      set('protocols', { key: 'inet_proto' }, [element('tcp'), element('udp'), element(200)]),
      set('names', { key: 'ifname' }, [element('eth0'), element('br-0123456789ab')]),
      set('marks', { key: 'mark' }, [element(1), element(0xffff_ffff)]),
      set('empty', { key: type }),
    ];
  },
  ranges: (family) => {
    const { type, backend, transit, odd, last, from, to } = places[family];
    return [
      set('networks', { key: type, intervals: true }, [element(odd), element(last)]),
      set('parts', { key: type, intervals: true }, [element(backend), element(between(from, to))]),
      set('everything', { key: type, intervals: true }, [element(transit, { comment: 'ours' })]),
      set('neighbours', { key: 'inet_service', intervals: true }, [
        element(between(80, 90)),
        element(between(91, 95)),
        element(0),
        element(65_535),
      ]),
      set('names', { key: 'ifname', intervals: true }, [element('eth*'), element('wlan0')]),
    ];
  },
  concatenated: (family) => {
    const { type, backend, other } = places[family];
    return [
      set('sockets', { key: ['inet_proto', type, 'inet_service'] }, [
        element(['tcp', backend, 80]),
        element(['udp', other, 53]),
      ]),
      set('doors', { key: ['ifname', 'inet_service'] }, [element(['eth0', 22])]),
      map('sockets_of', { key: [type, 'inet_service'], data: [type, 'inet_service'] }, [
        entry([backend, 80], [other, 8080]),
      ]),
    ];
  },
  'concatenated-ranges': (family) => {
    const { type, backend, transit, other } = places[family];
    return [
      set('sockets', { key: [type, 'inet_service'], intervals: true }, [
        element([transit, between(80, 90)]),
        element([backend, 22], { comment: 'shell' }),
      ]),
      map('forwarded', { key: [type, 'inet_service'], data: [type, 'inet_service'], intervals: true }, [
        entry([transit, between(1000, 2000)], [other, 1000]),
      ]),
    ];
  },
  verdicts: (family) => {
    const { type, backend, transit } = places[family];
    return [
      map('by_port', { key: 'inet_service', data: 'verdict', counted: true }, [
        entry(80, jump('a')),
        entry(81, go('a')),
        entry(82, drop),
      ]),
      map('by_network', { key: type, data: 'verdict', intervals: true }, [entry(transit, accept)]),
      map('by_socket', { key: [type, 'inet_service'], data: 'verdict' }, [
        entry([backend, 80], drop, { comment: 'why not' }),
      ]),
    ];
  },
  timed: (family) => {
    const { type, backend } = places[family];
    return [
      set('banned', { key: type, timeouts: true, size: 1000 }, [element(backend, { timeoutMs: 3_600_000 })]),
      set('recent', { key: type, timeoutMs: 90_500, dynamic: true, size: 65_535 }),
    ];
  },
};

function setShape(family: Family, kind: string, sets: readonly SetOrMap[]): Shape {
  const dynamic = sets.some((one) => one.dynamic === true);
  return {
    name: `sets-${family}-${kind}`,
    ruleset: ruleset(
      'sets',
      table(family, 'store', {
        sets,
        chains: [
          chain('a'),
          baseChain(
            'input',
            { type: 'filter', hook: 'input', priority: priorities.filter },
            dynamic
              ? [
                  rule(match(source[family], inSet('banned')), drop),
                  rule(match('tcp dport', 22), updateSet('recent', source[family], { timeoutMs: 60_000 })),
                  rule(match('tcp dport', 23), addToSet('recent', destination[family])),
                ]
              : [],
          ),
        ],
      }),
    ),
  };
}

export const setShapes: readonly Shape[] = bothFamilies.flatMap((family) =>
  Object.entries(kinds).map(([kind, sets]) => setShape(family, kind, sets(family))),
);
