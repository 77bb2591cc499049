import type { OnLinkPrefix } from '@berth/dhcp';
import { parseIpv6 } from '@berth/kernel/ip';
import { type Network, type NewRoute, routeProtocols } from '@berth/kernel/network';
import { liesInForeignNetwork, sameCidr } from './foreign-networks.ts';

/** Above the kernel's own 256: where an address brings the same route, that one stays in force. */
const metric = 512;

/** Routes to what routers say is on the link, for as long as they say so; except into networks of other interfaces. */
export class OnLinkRoutes {
  readonly #network: Network;
  readonly #link: number;

  constructor(network: Network, link: number) {
    this.#network = network;
    this.#link = link;
  }

  /** Makes the kernel's routes those; writes nothing that is there already. */
  keep(prefixes: readonly OnLinkPrefix[]): void {
    const isForeign = liesInForeignNetwork(this.#network, this.#link, 6);
    const wanted = prefixes
      .map((each) => this.#routeTo(each))
      .filter((route) => !isForeign(route.destination));
    const present = this.#network.routes
      .list({ family: 6, link: this.#link, protocol: routeProtocols.routerAdvertisement })
      .filter((route) => route.metric === metric && route.gateway === undefined);
    for (const route of wanted) {
      const isThere = present.some(({ destination }) => sameCidr(destination, route.destination));
      if (!isThere) this.#network.routes.replace(route);
    }
    for (const route of present) {
      const isWanted = wanted.some(({ destination }) => sameCidr(destination, route.destination));
      if (!isWanted) this.#network.routes.delete(route);
    }
  }

  #routeTo({ prefix, prefixLength }: OnLinkPrefix): NewRoute {
    return {
      destination: { address: parseIpv6(prefix), prefixLength },
      link: this.#link,
      metric,
      protocol: routeProtocols.routerAdvertisement,
    };
  }
}
