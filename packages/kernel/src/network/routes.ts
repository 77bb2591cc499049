import { kernelErrors } from '../errors.ts';
import { familyOf, formatCidr, type IpAddress, networkOf } from '../ip/index.ts';
import {
  type NetlinkRequest,
  type NetlinkSocket,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from '../netlink/index.ts';
import { removeIfPresent, unlessAbsent } from './absence.ts';
import { RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from './numbers.ts';
import {
  type NewRoute,
  type Route,
  type RouteFilter,
  readRoute,
  readStoredRoute,
  writeLookUp,
  writeRoute,
  writeRouteQuestion,
  writeRouteRemoval,
} from './route.ts';

/** The routes of one namespace. */
export class Routes {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  list(filter: RouteFilter = {}): Route[] {
    const request: NetlinkRequest = {
      type: RTM_GETROUTE,
      body: (writer) => writeRouteQuestion(writer, filter),
      what: 'listing routes',
    };
    // A table that nobody has written to does not exist, and a link may have gone.
    const routes = unlessAbsent(() => this.#socket.dump(request, readStoredRoute), [], ['ENOENT', 'ENODEV']);
    return routes.filter((route) => matches(route, filter));
  }

  /** Throws KERNEL_EXISTS if there is one with this destination, table and metric. */
  add(route: NewRoute): void {
    this.#write(route, NLM_F_CREATE | NLM_F_EXCL, 'adding');
  }

  /** Puts it in the place of the one with the same destination, table and metric; without a moment in between. */
  replace(route: NewRoute): void {
    this.#write(route, NLM_F_CREATE | NLM_F_REPLACE, 'replacing');
  }

  /** Deletes the first route that agrees with all that is given here; says whether there was one. */
  delete(route: NewRoute): boolean {
    const request: NetlinkRequest = {
      type: RTM_DELROUTE,
      body: (writer) => writeRouteRemoval(writer, route),
      what: `deleting route ${describe(route)}`,
    };
    return removeIfPresent(() => this.#socket.ask(request), ['ESRCH', 'ENOENT', 'ENODEV']);
  }

  /** The way that a packet to `destination` takes, from a certain link if one is given. Throws if there is none. */
  lookUp(destination: IpAddress, link?: number): Route {
    const what = `looking up the way to ${destination}`;
    const [answer] = this.#socket.ask({
      type: RTM_GETROUTE,
      body: (writer) => writeLookUp(writer, destination, link),
      what,
    });
    const route = answer === undefined ? undefined : readRoute(answer);
    if (route === undefined)
      throw kernelErrors.error('KERNEL_NO_ANSWER', `${what} failed: no route came back`);
    return route;
  }

  #write(route: NewRoute, flags: number, verb: string): void {
    this.#socket.ask({
      type: RTM_NEWROUTE,
      flags,
      body: (writer) => writeRoute(writer, route),
      what: `${verb} route ${describe(route)}`,
    });
  }
}

/** In the words of `ip route`. */
function describe(route: NewRoute): string {
  return [
    formatCidr(route.destination),
    route.gateway === undefined ? '' : `via ${route.gateway}`,
    route.link === undefined ? '' : `on link ${route.link}`,
    route.metric === undefined ? '' : `metric ${route.metric}`,
    route.table === undefined ? '' : `table ${route.table}`,
  ]
    .filter((word) => word !== '')
    .join(' ');
}

function matches(route: Route, filter: RouteFilter): boolean {
  const { destination } = filter;
  return (
    (filter.family === undefined || familyOf(route.destination.address) === filter.family) &&
    (filter.table === undefined || route.table === filter.table) &&
    (filter.link === undefined || [route, ...route.otherHops].some(({ link }) => link === filter.link)) &&
    (filter.protocol === undefined || route.protocol === filter.protocol) &&
    (filter.type === undefined || route.type === filter.type) &&
    (destination === undefined ||
      (route.destination.prefixLength === destination.prefixLength &&
        route.destination.address === networkOf(destination).address))
  );
}
