import type { ClasslessRoute } from '@berth/dhcp';
import { type Cidr, parseIpv4 } from '@berth/kernel/ip';
import { type Network, type NewRoute, type Route, routeProtocols } from '@berth/kernel/network';
import { liesInForeignNetwork, sameCidr } from './foreign-networks.ts';

/** Behind the routes that the kernel and Docker make, so that none of ours ever takes the place of one of theirs. */
const metric = 1024;

/**
 * The routes of option 121 that are not default routes, kept in the kernel as the last lease names them. A route that
 * leads into a network of another interface is left out: a DHCP server has no say in the networks of the project.
 */
export class ClasslessRoutes {
  readonly #network: Network;
  readonly #link: number;

  constructor(network: Network, link: number) {
    this.#network = network;
    this.#link = link;
  }

  /** Makes the kernel's routes those; writes nothing that is there already. Answers what was left out. */
  set(routes: readonly ClasslessRoute[], mtu: number | undefined): readonly ClasslessRoute[] {
    const isForeign = liesInForeignNetwork(this.#network, this.#link, 4);
    const wanted = routes.filter((route) => !isForeign(destinationOf(route)));
    const present = this.#present();
    for (const route of wanted) {
      const entry = this.#entry(route, mtu);
      if (!present.some((each) => isSame(each, entry))) this.#network.routes.replace(entry);
    }
    for (const route of present) {
      if (!wanted.some((each) => sameCidr(destinationOf(each), route.destination)))
        this.#network.routes.delete(route);
    }
    return routes.filter((route) => !wanted.includes(route));
  }

  #present(): readonly Route[] {
    const ours = { family: 4, link: this.#link, protocol: routeProtocols.dhcp } as const;
    return this.#network.routes
      .list(ours)
      .filter((route) => route.metric === metric && route.destination.prefixLength > 0);
  }

  #entry(route: ClasslessRoute, mtu: number | undefined): NewRoute {
    const onLink = route.gateway === '0.0.0.0';
    return {
      destination: destinationOf(route),
      link: this.#link,
      metric,
      protocol: routeProtocols.dhcp,
      ...(onLink ? { scope: 'link' as const } : { gateway: parseIpv4(route.gateway), onLink: true }),
      ...(mtu === undefined ? {} : { mtu }),
    };
  }
}

const destinationOf = ({ destination, prefixLength }: ClasslessRoute): Cidr => ({
  address: parseIpv4(destination),
  prefixLength,
});

const isSame = (present: Route, wanted: NewRoute): boolean =>
  sameCidr(present.destination, wanted.destination) &&
  present.gateway === wanted.gateway &&
  present.mtu === wanted.mtu;
