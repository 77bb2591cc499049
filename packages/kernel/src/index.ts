/** All that we say to Linux: nftables, netlink, conntrack, raw frames, namespaces, quotas. One door, no shell. */
export {};
