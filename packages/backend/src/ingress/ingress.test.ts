import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PortSpec } from '../manifest/index.ts';
import { customDomainProblem } from './custom-domain.ts';
import { ingressLabels, routablePort } from './labels.ts';
import { customRouterName, hostName, routerName, subdomain } from './names.ts';

const lease = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';
const wildcard = 'barney0.manifest0.net';
const a = (count: number): string => 'a'.repeat(count);

describe('sub-domains', () => {
  it.each([
    ['', 0, 1, '4ff15ab'],
    ['', 2, 3, '2-8c4968b'],
    ['app', 0, 1, 'app-52347a6'],
    ['web', 0, 1, 'web-b6a9799'],
    ['web', 1, 2, 'web-1-d1bf9e1'],
    [a(63), 0, 1, `${a(46)}-7d3e74a0-c1d6d85`],
    [a(63), 0, 2, `${a(44)}-7d3e74a0-0-c1d6d85`],
    [`${a(45)}-${'b'.repeat(17)}`, 0, 1, `${a(45)}-bcef5d81-c7ee3a1`],
  ])('of service %j, instance %d of %d', (service, index, quantity, expected) => {
    expect(subdomain({ lease, service, index }, quantity)).toBe(expected);
  });

  it('are host name labels for every service, index and quantity, and differ between instances', () => {
    const services = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    fc.assert(
      fc.property(services, fc.uuid(), fc.integer({ min: 1, max: 1024 }), (service, id, quantity) => {
        const names = [0, quantity - 1].map((index) => subdomain({ lease: id, service, index }, quantity));
        for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
        if (quantity > 1) expect(names[0]).not.toBe(names[1]);
      }),
    );
  });

  it('name routers and hosts', () => {
    const web = { lease, service: 'web', index: 0 };
    expect(hostName(web, 1, 'apps.example.net')).toBe('web-b6a9799.apps.example.net');
    expect(routerName(web, 1)).toBe('fred-web-b6a9799');
    expect(customRouterName(lease, 'web')).toBe('fred-web-b6a9799-custom');
  });
});

describe('the routable port', () => {
  const port = (number: number, more: Partial<PortSpec> = {}): PortSpec => ({
    port: number,
    protocol: 'tcp',
    ingress: false,
    hostPort: 0,
    ...more,
  });
  it.each<[string, PortSpec[], number | undefined]>([
    ['the one that asks', [port(80), port(9000, { ingress: true })], 9000],
    ['80', [port(22), port(8080), port(80)], 80],
    ['8080', [port(22), port(8080)], 8080],
    ['the lowest', [port(9000), port(3000)], 3000],
    ['none of UDP', [port(80, { protocol: 'udp' })], undefined],
    ['none at all', [], undefined],
  ])('is %s', (_, ports, expected) => expect(routablePort(ports)).toBe(expected));
});

describe('ingress labels', () => {
  const settings = {
    wildcardDomain: 'apps.example.net',
    entrypoint: 'websecure',
    certResolver: 'http01',
    middlewares: ['security-headers@file', 'limit@file'],
  };
  const web = {
    instance: { lease, service: 'web', index: 1 },
    quantity: 2,
    port: 8080,
    network: 'fred-tenant-x',
  };

  it('route the generated name, and only that', () => {
    expect(Object.fromEntries(ingressLabels(settings, web))).toEqual({
      'fred.fqdn': 'web-1-d1bf9e1.apps.example.net',
      'traefik.enable': 'true',
      'traefik.docker.network': 'fred-tenant-x',
      'traefik.http.routers.fred-web-1-d1bf9e1.rule': 'Host(`web-1-d1bf9e1.apps.example.net`)',
      'traefik.http.routers.fred-web-1-d1bf9e1.entrypoints': 'websecure',
      'traefik.http.routers.fred-web-1-d1bf9e1.tls': 'true',
      'traefik.http.routers.fred-web-1-d1bf9e1.service': 'fred-web-1-d1bf9e1',
      'traefik.http.services.fred-web-1-d1bf9e1.loadbalancer.server.port': '8080',
    });
  });

  it('route a custom domain through one router for all instances', () => {
    const labels = ingressLabels(settings, { ...web, customDomain: 'www.acme.example' });
    expect(Object.fromEntries([...labels].slice(8))).toEqual({
      'fred.custom_domain': 'www.acme.example',
      'traefik.http.routers.fred-web-b6a9799-custom.rule': 'Host(`www.acme.example`)',
      'traefik.http.routers.fred-web-b6a9799-custom.entrypoints': 'websecure',
      'traefik.http.routers.fred-web-b6a9799-custom.tls': 'true',
      'traefik.http.routers.fred-web-b6a9799-custom.tls.certresolver': 'http01',
      'traefik.http.routers.fred-web-b6a9799-custom.middlewares': 'security-headers@file,limit@file',
      'traefik.http.routers.fred-web-b6a9799-custom.service': 'fred-web-b6a9799-custom-svc',
      'traefik.http.services.fred-web-b6a9799-custom-svc.loadbalancer.server.port': '8080',
    });
  });

  it('leave out a domain that is none', () => {
    expect(ingressLabels(settings, { ...web, customDomain: 'x`) || Host(`y' })).toEqual(
      ingressLabels(settings, web),
    );
  });
});

describe('a custom domain', () => {
  it.each([
    'foo.example.com',
    'admin.foo.example.com',
    `${a(63)}.com`,
    'xn--bcher-kva.example',
  ])('%s is accepted', (domain) => expect(customDomainProblem(domain, wildcard)).toBeUndefined());

  it.each([
    '',
    'Foo.example.com',
    'https://foo.example.com',
    'example.com/foo',
    'ex ample.com',
    'user@example.com',
    '*.example.com',
    '.foo.example.com',
    'example.com.',
    'localhost',
    `${a(64)}.com`,
    '-foo.example.com',
    'foo-.example.com',
    'foo..example.com',
    '192.168.1.1',
    wildcard,
    `evil.${wildcard}`,
    'foo.example.com\n',
    'a`b.example.com',
    'é.example.com',
    `${`${a(49)}.`.repeat(5)}comm`,
  ])('%j is refused', (domain) => expect(customDomainProblem(domain, wildcard)).toBeDefined());

  it("is not the provider's own, however that is written in the configuration", () => {
    expect(customDomainProblem(`evil.${wildcard}`, wildcard.toUpperCase())).toContain("provider's own");
    expect(customDomainProblem(wildcard, wildcard.toUpperCase())).toContain("provider's own");
  });

  it('that is accepted can stand in a rule of the proxy', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: 'binary' })), (domain) => {
        if (customDomainProblem(domain, wildcard) === undefined)
          expect(domain).toMatch(/^[a-z0-9.-]{3,253}$/);
      }),
    );
  });
});
