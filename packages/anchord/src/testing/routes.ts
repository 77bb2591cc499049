/** Builder for default routes as the kernel lists them. */
import { everything, parseIp } from '@berth/kernel/ip';
import { MAIN_TABLE, type Route } from '@berth/kernel/network';

export function defaultRoute(gateway: string | undefined, changes: Partial<Route> = {}): Route {
  return {
    destination: everything(gateway?.includes(':') === true ? 6 : 4),
    gateway: gateway === undefined ? undefined : parseIp(gateway),
    link: 2,
    onLink: false,
    weight: 1,
    otherHops: [],
    table: MAIN_TABLE,
    metric: 0,
    protocol: 3,
    scope: 'global',
    type: 'unicast',
    source: undefined,
    mtu: undefined,
    expiresSeconds: undefined,
    ...changes,
  };
}
