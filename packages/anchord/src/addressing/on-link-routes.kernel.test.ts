import { parseIpv6 } from '@berth/dhcp';
import { Network } from '@berth/kernel/network';
import { expect, it } from 'vitest';
import { DhcpLan, ip } from '../testing/dhcp-lan.ts';
import { OnLinkRoutes } from './on-link-routes.ts';

const prefix = (text: string, prefixLength: number) => ({
  prefix: parseIpv6(text) ?? expect.fail(text),
  prefixLength,
  untilMs: Number.POSITIVE_INFINITY,
});

it('what routers say is on the link gets a route for as long as they say so, except what is a network of the project', () => {
  using lan = new DhcpLan();
  ip(lan.container, '-6 addr add fd30::2/64 dev transit nodad');
  using network = Network.open(lan.container);
  const routes = new OnLinkRoutes(network, lan.link.index);
  const shown = () =>
    ip(lan.container, '-6 route show dev ext')
      .split('\n')
      .filter((line) => line.includes('metric 512'))
      .map((line) => line.split(' ')[0]);

  routes.keep([prefix('fd99::', 64), prefix('fd98::', 56), prefix('fd30::100', 120), prefix('fd30::', 64)]);
  expect(shown().sort()).toEqual(['fd98::/56', 'fd99::/64']);

  ip(lan.container, '-6 route del fd99::/64 dev ext metric 512');
  routes.keep([prefix('fd99::', 64)]);
  expect(shown()).toEqual(['fd99::/64']);

  routes.keep([]);
  expect(shown()).toEqual([]);
});
