import { parseIp } from '@berth/kernel/ip';
import type { NewRoute, Route } from '@berth/kernel/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultRoute } from '../testing/routes.ts';
import { defaultRoutes, planDefaultRoute, routesInForce, type WantedRoute } from './default-route.ts';

const wanted: WantedRoute = { gateway: parseIp('10.0.0.2'), link: 3, onLink: false };
const there = defaultRoute('10.0.0.2', { link: 3 });
const advertised = defaultRoute('fe80::1', { metric: 1024, protocol: 9 });

describe('default route', () => {
  it('is installed when there is none', () => {
    expect(planDefaultRoute('v4', [], wanted)).toEqual({
      kind: 'replace',
      reason: 'missing',
      previous: undefined,
      route: {
        ...wanted,
        destination: { address: '0.0.0.0', prefixLength: 0 },
        table: 254,
        metric: 0,
        protocol: 172,
      },
    });
  });

  it('is left alone when it is in force, whoever wrote it and whatever stands behind it', () => {
    const plan = planDefaultRoute('v4', [defaultRoute('10.0.0.1', { metric: 100 }), there], wanted);
    expect(plan).toEqual({ kind: 'keep', route: there });
  });

  it.each<[string, Route]>([
    ['another gateway', defaultRoute('10.0.0.1')],
    ['the right gateway on another interface', defaultRoute('10.0.0.2')],
    ['a route without a gateway', defaultRoute(undefined, { link: 3 })],
    ['a black hole', defaultRoute(undefined, { link: undefined, type: 'blackhole' })],
    [
      'a route over several gateways',
      { ...there, otherHops: [{ ...wanted, gateway: parseIp('10.0.0.9'), weight: 1 }] },
    ],
  ])('takes the place of %s', (_, present) => {
    const plan = planDefaultRoute('v4', [present], wanted);
    expect(plan).toMatchObject({ kind: 'replace', reason: 'drifted', previous: present.gateway });
  });

  it('carries the largest packet size that DHCP names, and is set anew when that changes', () => {
    const small = { ...wanted, mtu: 1400 };
    expect(planDefaultRoute('v4', [there], small)).toMatchObject({ kind: 'replace', route: { mtu: 1400 } });
    expect(planDefaultRoute('v4', [{ ...there, mtu: 1400 }], small).kind).toBe('keep');
    expect(planDefaultRoute('v4', [{ ...there, mtu: 1400 }], wanted).kind).toBe('keep');
  });

  it('undercuts a route with a metric in IPv4, and takes over the metric in IPv6', () => {
    const dhcp = defaultRoute('10.0.0.1', { metric: 100 });
    expect(planDefaultRoute('v4', [dhcp], wanted)).toMatchObject({ route: { metric: 0 } });
    expect(planDefaultRoute('v6', [dhcp], wanted)).toMatchObject({ route: { metric: 100 } });
    expect(planDefaultRoute('v6', [], wanted)).toMatchObject({ route: { metric: 1024 } });
  });

  it('undercuts router advertisements in IPv6, because they come back', () => {
    expect(planDefaultRoute('v6', [advertised], wanted)).toMatchObject({ route: { metric: 1023 } });
  });

  it('does not settle for being one of several of equal metric', () => {
    const ours = { ...there, metric: 1024 };
    expect(planDefaultRoute('v6', [ours, advertised], wanted)).toMatchObject({
      kind: 'replace',
      reason: 'drifted',
      previous: 'fe80::1',
    });
  });

  it('is looked for in the main table only, and not in the kernel’s last resort', () => {
    const elsewhere = { ...there, table: 100 };
    const subnet = { ...there, destination: { address: parseIp('10.0.0.0'), prefixLength: 8 } };
    const lastResort = { ...there, metric: 0xffff_ffff };
    expect(defaultRoutes([elsewhere, subnet, lastResort, there])).toEqual([there]);
  });

  const anyRoute = fc
    .record({
      gateway: fc.constantFrom(undefined, parseIp('10.0.0.1'), wanted.gateway),
      link: fc.constantFrom(2, 3),
      metric: fc.constantFrom(0, 2, 100, 1023, 1024, 1025),
      protocol: fc.constantFrom(2, 3, 9, 172),
    })
    .map((changes) => ({ ...there, ...changes }));

  it('is in force after its step, and the next look leaves it alone', () => {
    const family = fc.constantFrom('v4' as const, 'v6' as const);
    fc.assert(
      fc.property(family, fc.array(anyRoute, { maxLength: 4 }), (of, routes) => {
        // The kernel gives no route of IPv6 the metric 0.
        const observed = of === 'v4' ? routes : routes.filter(({ metric }) => metric > 0);
        const plan = planDefaultRoute(of, observed, wanted);
        if (plan.kind === 'keep') return;
        const after = replaceAsTheKernelDoes(of, observed, plan.route);
        expect(routesInForce(after)).toHaveLength(1);
        expect(planDefaultRoute(of, after, wanted).kind).toBe('keep');
      }),
    );
  });
});

/** A replace takes away what has the same metric; in IPv6 not what came from a router advertisement. */
function replaceAsTheKernelDoes(family: string, routes: readonly Route[], by: NewRoute): readonly Route[] {
  const stays = (one: Route) => one.metric !== by.metric || (family === 'v6' && one.protocol === 9);
  return [...routes.filter(stays), { ...there, metric: by.metric ?? 0, protocol: by.protocol ?? 0 }];
}
