/** Keeping one default route as it should be: what is there, what should be there, and the step between them. */
import { everything, type IpAddress } from '@berth/kernel/ip';
import { MAIN_TABLE, type NewRoute, type Route, routeProtocols } from '@berth/kernel/network';
import { type Family, familyNumber } from '../families.ts';

/** Marks the routes that anchord writes, so that it knows its own again after it was killed. */
const anchordRouteProtocol = 172;
/** What the kernel makes of "no metric given" in IPv6. */
const defaultIpv6Metric = 1024;
/** The kernel's own "no way at all" in IPv6, which loses to everything. */
const lastResortMetric = 0xffff_ffff;

export interface WantedRoute {
  readonly gateway: IpAddress;
  /** Index of the interface. */
  readonly link: number;
  /** The gateway lies in none of the interface's networks, and is on the link all the same. */
  readonly onLink: boolean;
  /** The largest packet on the way, where somebody has said so. */
  readonly mtu?: number | undefined;
}

export type DefaultRoutePlan =
  | { readonly kind: 'keep'; readonly route: Route }
  | {
      readonly kind: 'replace';
      readonly route: NewRoute;
      /** There was none at all, or another one was in its place. */
      readonly reason: 'missing' | 'drifted';
      /** The gateway that was used until now. */
      readonly previous: IpAddress | undefined;
    };

/** The default routes of the main table, out of all that the kernel lists. */
export const defaultRoutes = (routes: readonly Route[]): readonly Route[] =>
  routes.filter(
    ({ destination, table, metric }) =>
      destination.prefixLength === 0 && table === MAIN_TABLE && metric !== lastResortMetric,
  );

/**
 * The wanted route is in force when it is the one that the kernel chooses. Else ours takes the place of the one in force,
 * in one step; further routes of higher metric are nobody's business.
 */
export function planDefaultRoute(
  family: Family,
  observed: readonly Route[],
  wanted: WantedRoute,
): DefaultRoutePlan {
  const inForce = routesInForce(observed);
  const [first] = inForce;
  if (first !== undefined && inForce.every((route) => leadsTo(route, wanted))) {
    return { kind: 'keep', route: first };
  }
  return {
    kind: 'replace',
    route: {
      destination: everything(familyNumber(family)),
      table: MAIN_TABLE,
      metric: metricToWin(family, observed),
      protocol: anchordRouteProtocol,
      ...wanted,
    },
    reason: first === undefined ? 'missing' : 'drifted',
    previous: inForce.find((route) => !leadsTo(route, wanted))?.gateway,
  };
}

/** All routes of the lowest metric; IPv6 allows several of them, and then the kernel may use any. */
export function routesInForce(observed: readonly Route[]): readonly Route[] {
  const lowest = Math.min(...observed.map(({ metric }) => metric));
  return observed.filter(({ metric }) => metric === lowest);
}

const leadsTo = (route: Route, wanted: WantedRoute): boolean =>
  route.type === 'unicast' &&
  route.gateway === wanted.gateway &&
  route.link === wanted.link &&
  (wanted.mtu === undefined || route.mtu === wanted.mtu) &&
  route.otherHops.length === 0;

/** A replaced route has the same metric; what router advertisements bring back all the time can only be undercut. */
function metricToWin(family: Family, observed: readonly Route[]): number {
  if (family === 'v4') return 0;
  const toWin = observed.map(({ metric, protocol }) =>
    protocol === routeProtocols.routerAdvertisement ? metric - 1 : metric,
  );
  return Math.max(1, Math.min(defaultIpv6Metric, ...toWin));
}

export const isOurs = ({ protocol }: Route): boolean => protocol === anchordRouteProtocol;
