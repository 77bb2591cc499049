import { type Cidr, contains, type IpFamily, networkOf } from '@berth/kernel/ip';
import type { Network } from '@berth/kernel/network';

/** Whether a destination lies in a network of another interface: nobody on the LAN has a say in the networks of the project. */
export function liesInForeignNetwork(
  network: Network,
  link: number,
  family: IpFamily,
): (destination: Cidr) => boolean {
  const foreign = network.addresses
    .list({ family })
    .filter((address) => address.link !== link)
    .map(networkOf);
  return (destination) => foreign.some((each) => liesIn(each, destination));
}

export const sameCidr = (left: Cidr, right: Cidr): boolean =>
  left.address === right.address && left.prefixLength === right.prefixLength;

const liesIn = (network: Cidr, destination: Cidr): boolean =>
  destination.prefixLength >= network.prefixLength && contains(network, destination.address);
