/** Through which interface a gateway is reached. A route that leaves this to the kernel fails for a link-local gateway. */
import { type Cidr, contains, type IpAddress, isIpv6, isLinkLocal } from '@berth/kernel/ip';

/** An address of ours with its network. */
export interface LocalAddress extends Cidr {
  /** Index of the interface. */
  readonly link: number;
}

export interface GatewayLink {
  readonly link: number;
  readonly onLink: boolean;
}

/**
 * The interface with the narrowest network around the gateway. A link-local gateway is on every link, so it needs the one
 * that there is. Undefined where nothing leads there, or too many do.
 */
export function gatewayLink(gateway: IpAddress, addresses: readonly LocalAddress[]): GatewayLink | undefined {
  if (onEveryLink(gateway)) {
    const links = new Set(addresses.filter(({ address }) => onEveryLink(address)).map(({ link }) => link));
    const [only] = links;
    return only === undefined || links.size > 1 ? undefined : { link: only, onLink: false };
  }
  const [narrowest] = addresses
    .filter((network) => contains(network, gateway))
    .sort((a, b) => b.prefixLength - a.prefixLength || a.link - b.link);
  return narrowest === undefined ? undefined : { link: narrowest.link, onLink: false };
}

/** The same when the interface is known: only whether the kernel has to be told that the gateway is on the link. */
export function gatewayOnLink(
  link: number,
  gateway: IpAddress,
  addresses: readonly LocalAddress[],
): GatewayLink {
  const local = addresses.filter((address) => address.link === link);
  return { link, onLink: !onEveryLink(gateway) && !local.some((network) => contains(network, gateway)) };
}

const onEveryLink = (gateway: IpAddress): boolean => isIpv6(gateway) && isLinkLocal(gateway);
