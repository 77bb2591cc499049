import { parseIpv6, type RouterAdvertisement } from '@berth/dhcp';
import { describe, expect, it } from 'vitest';
import { Routers } from './routers.ts';

const router = (last: number) => parseIpv6(`fe80::${last.toString(16)}`)!;
const says = (managed: boolean, lifetimeSeconds = 1800): RouterAdvertisement => ({
  hopLimit: 64,
  managed,
  other: false,
  preference: 'medium',
  lifetimeSeconds,
  reachableMs: 0,
  retransmitMs: 0,
  prefixes: [],
  routes: [],
  dnsServers: [],
});

describe('the routers of a link', () => {
  it('want DHCP when one of them does', () => {
    const routers = new Routers();
    expect(routers.heard(router(1), says(false), 0)).toBe(false);
    expect(routers.heard(router(2), says(true), 0)).toBe(true);
    expect(routers.heard(router(2), says(false), 0)).toBe(false);
  });

  it('are forgotten when their time is over, or when they say that they are none any more', () => {
    const routers = new Routers();
    routers.heard(router(1), says(true, 10), 0);
    expect(routers.heard(router(2), says(false), 10_001)).toBe(false);
    expect(routers.heard(router(2), says(false, 0), 10_002)).toBeUndefined();
  });

  it('are not remembered without end', () => {
    const routers = new Routers();
    for (let last = 1; last <= 16; last += 1) routers.heard(router(last), says(false), 0);
    expect(routers.heard(router(99), says(true), 0)).toBe(false);
    expect(routers.heard(router(16), says(true), 0)).toBe(true);
  });
});
