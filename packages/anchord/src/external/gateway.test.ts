import { parseIp } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { effectiveGateway, type GatewaySources, needsIpam } from './gateway.ts';

const sources = (changes: Partial<GatewaySources> = {}): GatewaySources => ({
  dynamic: undefined,
  advertised: undefined,
  pin: { v4: undefined, v6: undefined },
  ipam: { v4: undefined, v6: undefined },
  ...changes,
});

describe('external gateway', () => {
  const dynamic = parseIp('10.0.0.1');
  const ipam = { v4: parseIp('10.0.0.3'), v6: parseIp('fd::3') };
  const pin = { v4: parseIp('10.0.0.2'), v6: parseIp('fd::2') };

  it('comes from DHCP before the pin before Docker in IPv4', () => {
    expect(effectiveGateway('v4', sources({ dynamic, pin, ipam }))).toBe('10.0.0.1');
    expect(effectiveGateway('v4', sources({ pin, ipam }))).toBe('10.0.0.2');
    expect(effectiveGateway('v4', sources({ ipam }))).toBe('10.0.0.3');
    expect(effectiveGateway('v4', sources())).toBeUndefined();
  });

  it('comes from the pin before Docker in IPv6, and never from DHCP', () => {
    expect(effectiveGateway('v6', sources({ dynamic, pin, ipam }))).toBe('fd::2');
    expect(effectiveGateway('v6', sources({ dynamic, ipam }))).toBe('fd::3');
    expect(effectiveGateway('v6', sources({ dynamic }))).toBeUndefined();
  });

  it('is the router that advertises itself where nobody has named another one, and that in IPv6 only', () => {
    const advertised = parseIp('fe80::1');
    expect(effectiveGateway('v6', sources({ advertised }))).toBe('fe80::1');
    expect(effectiveGateway('v6', sources({ advertised, ipam }))).toBe('fd::3');
    expect(effectiveGateway('v4', sources({ advertised }))).toBeUndefined();
  });

  it('is asked of Docker unless pins say everything', () => {
    expect(needsIpam(sources({ pin }))).toBe(false);
    expect(needsIpam(sources({ pin: { ...pin, v6: undefined } }))).toBe(true);
  });
});
