/**
 * All that we say to Linux: nftables, netlink, conntrack, raw frames, namespaces, quotas. One door, no shell.
 *
 * A program loads only what it needs, so each part has an entry of its own:
 *
 * - `@berth/kernel/network`: links, addresses, routes, neighbours, rules of a namespace; and a watch over all of it.
 * - `@berth/kernel/nftables`: a ruleset as a value.
 * - `@berth/kernel/conntrack`: tracked flows, and moving them to their new backend.
 * - `@berth/kernel/frames`: raw frames with a kernel filter.
 * - `@berth/kernel/netns`: network namespaces and their sysctls. Everything above takes the namespace that it works in.
 * - `@berth/kernel/filesystems`: volumes with quotas.
 * - `@berth/kernel/ip`: addresses, prefixes and MACs as values.
 * - `@berth/kernel/netlink`, `@berth/kernel/sys`: what the parts above are built on.
 *
 * What is opened is a `Disposable`: hand it to a scope (`scope.own(Network.open(namespace))`). Here stands what all share.
 */
export {
  errnoName,
  errnoOf,
  type KernelError,
  type KernelErrorCode,
  kernelErrors,
} from './errors.ts';
