import type { Family } from '../index.ts';

/** The same places in both address families. */
export const places = {
  ip: {
    type: 'ipv4_addr',
    backend: '172.20.0.5',
    other: '172.20.0.6',
    transit: '172.20.0.0/24',
    odd: '172.20.0.0/22',
    last: '255.255.255.0/24',
    far: '192.0.2.1',
    from: '172.20.0.10',
    to: '172.20.0.20',
  },
  ip6: {
    type: 'ipv6_addr',
    backend: 'fd00:20::5',
    other: 'fd00:20::6',
    transit: 'fd00:20::/64',
    odd: 'fd00:20::/61',
    last: 'ffff:ffff:ffff:ffff::/64',
    far: '2001:db8::1',
    from: 'fd00:20::10',
    to: 'fd00:20::20',
  },
} as const;

export const source = { ip: 'ip saddr', ip6: 'ip6 saddr' } as const;
export const destination = { ip: 'ip daddr', ip6: 'ip6 daddr' } as const;

export const bothFamilies = ['ip', 'ip6'] as const;
export const allFamilies: readonly Family[] = ['ip', 'ip6', 'inet'];
/** In an inet table we speak of IPv4. */
export const addressFamily = (family: Family): 'ip' | 'ip6' => (family === 'inet' ? 'ip' : family);
