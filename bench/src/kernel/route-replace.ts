/** The default route, put in the place of another and read back, beside `ip route` doing the same. */
import { parseCidr, parseIp } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { Network } from '@berth/kernel/network';
import { type BenchCase, timingRow } from '../harness/bench-case.ts';
import { measure } from '../harness/measure.ts';
import { inside } from './inside.ts';

export const GATEWAYS = ['10.0.0.1', '10.0.0.2'] as const;

/** A namespace with a link that can carry routes; answers the number of the link. */
export function withLink(namespace: Netns, network: Network): number {
  inside(namespace, 'ip', 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e1');
  inside(namespace, 'ip', 'link', 'set', 'e1', 'up');
  inside(namespace, 'ip', 'link', 'set', 'e0', 'up');
  inside(namespace, 'ip', 'addr', 'add', '10.0.0.9/24', 'dev', 'e0');
  const link = network.links.byName('e0');
  if (link === undefined) throw new Error('the link e0 is not there');
  return link.index;
}

const everything = parseCidr('0.0.0.0/0');

export const routeReplace: BenchCase = {
  name: 'route-replace',
  about: 'The default route goes to another gateway; and all routes are read.',
  unit: 'ms',
  needsRoot: true,
  async run({ quick }) {
    using namespace = Netns.create('route-replace');
    using network = Network.open(namespace);
    const link = withLink(namespace, network);
    const gateway = (round: number): string => GATEWAYS[round % 2] ?? GATEWAYS[0];
    const rounds = quick ? 5 : 2_000;
    const peerRounds = quick ? 3 : 60;
    const replace = await measure({ rounds }, (round) =>
      network.routes.replace({ destination: everything, gateway: parseIp(gateway(round)), link }),
    );
    const list = await measure({ rounds }, () => void network.routes.list({ family: 4 }));
    const replaceByIp = await measure(
      { rounds: peerRounds },
      (round) =>
        void inside(namespace, 'ip', 'route', 'replace', 'default', 'via', gateway(round), 'dev', 'e0'),
    );
    const listByIp = await measure({ rounds: peerRounds }, () => void inside(namespace, 'ip', '-j', 'route'));
    return [
      timingRow('replace', 'berth', replace),
      timingRow('replace', 'ip route replace', replaceByIp),
      timingRow('read all', 'berth', list),
      timingRow('read all', 'ip -j route', listByIp),
    ];
  },
};
