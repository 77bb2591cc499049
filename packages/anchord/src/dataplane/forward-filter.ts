/** Who may send what through us: worked out from the networks that Docker attached us to, and the links that the kernel has. */
import type { InterfaceAddress, Link } from '@berth/kernel/network';
import type { ForwardFilter } from './ruleset.ts';

interface Attached {
  readonly mac?: string | undefined;
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
}

/** Where our own container stands. */
export interface Standing {
  /** By the name of the network, as Docker tells it. */
  readonly attachments: Readonly<Record<string, Attached>>;
  readonly links: readonly Pick<Link, 'index' | 'name' | 'kind' | 'mac'>[];
  readonly addresses: readonly Pick<InterfaceAddress, 'link' | 'address'>[];
  readonly externalInterface: string;
  readonly externalNetwork: string | undefined;
  /** The network on which backends are, as soon as that is certain. */
  readonly sharedNetwork: string | undefined;
}

/** What Docker names instead of a network where there is none of its own. */
const placeholders: ReadonlySet<string> = new Set(['none', 'host']);

export const ownNetworks = (attachments: Standing['attachments']): readonly string[] =>
  Object.keys(attachments).filter((name) => !placeholders.has(name));

/** The drivers behind these put a container onto a network of the host, next to machines that are none of ours. */
const lanKinds: ReadonlySet<string | undefined> = new Set(['macvlan', 'ipvlan']);

/**
 * Inner is what Docker attached, as long as it does not lead to a LAN; the network that backends are on is inner whatever it
 * is. Where Docker attached nothing, the namespace is somebody else's (the host's, say), with ways of its own through it.
 */
export function forwardFilterFor(standing: Standing): ForwardFilter {
  const { attachments, links, addresses, externalInterface, externalNetwork, sharedNetwork } = standing;
  const own = ownNetworks(attachments);
  if (own.length === 0) return { kind: 'external' };
  const networkOf = (link: Pick<Link, 'index' | 'mac'>): string | undefined =>
    own.find((name) => {
      const { mac = '', ipv4, ipv6 } = attachments[name] ?? {};
      if (mac !== '') return mac.toLowerCase() === link.mac;
      // A driver that gives no MAC of its own (ipvlan) gives an address all the same.
      return addresses.some((one) => one.link === link.index && [ipv4, ipv6].includes(one.address));
    });
  const interfaces = links
    .filter((link) => {
      const network = networkOf(link);
      if (network === undefined || network === externalNetwork || link.name === externalInterface)
        return false;
      return network === sharedNetwork || !lanKinds.has(link.kind);
    })
    .map(({ name }) => name)
    .sort();
  return { kind: 'inner', interfaces };
}

/** Those that are refused, for people to read. */
export const refusedInterfaces = (
  filter: ForwardFilter,
  links: readonly Pick<Link, 'name' | 'loopback'>[],
  externalInterface: string,
): readonly string[] =>
  filter.kind !== 'inner'
    ? []
    : links
        .filter(({ loopback, name }) => !loopback && name !== externalInterface)
        .map(({ name }) => name)
        .filter((name) => !filter.interfaces.includes(name))
        .sort();
