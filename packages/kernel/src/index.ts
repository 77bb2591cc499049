/**
 * All that we say to Linux: nftables, netlink, conntrack, raw frames, namespaces, quotas. One door, no shell.
 *
 * A program loads only what it needs: each part has an entry of its own (`@berth/kernel/netlink`, `/netns`, `/sys`, ...).
 * Here stands what all of them share.
 */
export {
  errnoName,
  errnoOf,
  type KernelError,
  type KernelErrorCode,
  kernelErrors,
} from './errors.ts';
