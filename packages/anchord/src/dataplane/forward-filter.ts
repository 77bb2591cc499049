/** Who may send what through us: worked out from the networks that Docker attached us to, and the links that the kernel has. */
import type { Link } from '@berth/kernel/network';
import type { ForwardFilter } from './ruleset.ts';

/** Where our own container stands. */
export interface Standing {
  /** By the name of the network, as Docker tells it. */
  readonly attachments: Readonly<Record<string, { readonly mac?: string | undefined }>>;
  readonly links: readonly Pick<Link, 'name' | 'kind' | 'mac'>[];
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
  const { attachments, links, externalInterface, externalNetwork, sharedNetwork } = standing;
  const own = ownNetworks(attachments);
  if (own.length === 0) return { kind: 'external' };
  const networkOf = ({ mac }: Pick<Link, 'mac'>): string | undefined =>
    mac === undefined ? undefined : own.find((name) => attachments[name]?.mac?.toLowerCase() === mac);
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
