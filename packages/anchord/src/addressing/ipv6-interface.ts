import type { Ipv6 } from '@berth/dhcp';
import { isLinkLocal, parseIpv6 } from '@berth/kernel/ip';
import type { InterfaceAddress, Network } from '@berth/kernel/network';

/** A leased address stands alone: what is on the link beside it, the routers say. */
const hostPrefix = 128;

/** What the kernel says about an address of ours. */
export type AddressFate = 'usable' | 'duplicate' | 'undecided';

export function fateOf({ tentative, dadFailed }: InterfaceAddress): AddressFate {
  if (dadFailed) return 'duplicate';
  return tentative ? 'undecided' : 'usable';
}

/** The leased IPv6 addresses of one interface. */
export class Ipv6Interface {
  readonly #network: Network;
  readonly #link: number;

  constructor(network: Network, link: number) {
    this.#network = network;
    this.#link = link;
  }

  list(): readonly InterfaceAddress[] {
    return this.#network.addresses.list({ link: this.#link, family: 6 });
  }

  find(address: Ipv6): InterfaceAddress | undefined {
    return this.list().find((each) => each.address === String(address) && each.prefixLength === hostPrefix);
  }

  linkLocal(): Ipv6 | undefined {
    const found = this.list().find((each) => isLinkLocal(each.address) && fateOf(each) === 'usable');
    return found === undefined ? undefined : (String(found.address) as Ipv6);
  }

  put(address: Ipv6, preferredSeconds: number, validSeconds: number): void {
    this.#network.addresses.replace({
      link: this.#link,
      address: parseIpv6(address),
      prefixLength: hostPrefix,
      preferredSeconds,
      validSeconds,
      noPrefixRoute: true,
    });
  }

  drop(address: Ipv6): void {
    this.#network.addresses.delete({
      link: this.#link,
      address: parseIpv6(address),
      prefixLength: hostPrefix,
    });
  }
}
