/** Host names and custom domains on real containers, with the gate asking a real name server on loopback. */
import { NameServer } from '@berth/lab';
import { accepted, type Item, type NewLease, Provider } from '@berth/lab/provider';
import { lab } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const wildcard = 'apps.example.net';
const domain = 'www.acme.example';

let provider: Provider;
let names: NameServer;
beforeAll(async () => {
  names = await NameServer.open();
  const resolver = names.address;
  provider = await Provider.open((await lab()).host(), {
    config: {
      ingress: {
        enabled: true,
        wildcard_domain: wildcard,
        entrypoint: 'websecure',
        custom_domain_dns_resolvers: [resolver, resolver, '127.0.0.1:9'],
      },
    },
  });
});
afterAll(async () => {
  await provider?.[Symbol.asyncDispose]();
  await names?.[Symbol.asyncDispose]();
});

/** The labels that the proxy reads, on one container of the lease. */
async function proxyLabels({ lease_uuid: uuid }: NewLease, service = 'web', index = 0) {
  const text = await provider.host.docker(
    'inspect',
    '--format',
    '{{json .Config.Labels}}',
    `fred-${uuid}-${service}-${index}`,
  );
  const labels = JSON.parse(text) as Record<string, string>;
  const ours = Object.entries(labels).filter(([key]) => /^(traefik\.|fred\.(fqdn|custom_domain))/.test(key));
  return Object.fromEntries(ours);
}

describe('ingress', () => {
  it('names each instance, serves a custom domain once it exists, and lets it go again', async () => {
    const { client, desk } = provider;
    const items = (customDomain: string): readonly Item[] => [
      {
        sku: 'small',
        quantity: 2,
        service_name: 'web',
        ...(customDomain !== '' && { custom_domain: customDomain }),
      },
      { sku: 'small', quantity: 1, service_name: 'db' },
    ];
    // The name is not there yet: the lease begins without it.
    const lease = await provider.provisioned(provider.lease(items(domain)), {
      services: { web: provider.page('hello'), db: { image: provider.image } },
    });
    const { lease_uuid: uuid } = lease;
    const { instances } = accepted(await client.info(uuid));
    const fqdns = instances.map(({ fqdn }) => fqdn);
    // By service: the database has no port, and so no name.
    expect(fqdns).toEqual([
      undefined,
      expect.stringMatching(/^web-0-[0-9a-f]{7}\.apps\.example\.net$/),
      expect.stringMatching(/^web-1-[0-9a-f]{7}\.apps\.example\.net$/),
    ]);
    expect(await proxyLabels(lease, 'db')).toEqual({});
    const router = `fred-${fqdns[1]?.split('.')[0]}`;
    const network = (
      await provider.host.docker(
        'network',
        'ls',
        '--filter',
        `label=fred.backend_name=${provider.id}`,
        '--format',
        '{{.Name}}',
      )
    ).trim();
    expect(network).toMatch(/^fred-tenant-[0-9a-f]{16}$/);
    const primary = {
      'fred.fqdn': fqdns[1],
      'traefik.enable': 'true',
      'traefik.docker.network': network,
      [`traefik.http.routers.${router}.rule`]: `Host(\`${fqdns[1]}\`)`,
      [`traefik.http.routers.${router}.entrypoints`]: 'websecure',
      [`traefik.http.routers.${router}.tls`]: 'true',
      [`traefik.http.routers.${router}.service`]: router,
      [`traefik.http.services.${router}.loadbalancer.server.port`]: '8080',
    };
    expect(await proxyLabels(lease)).toEqual(primary);
    const domainOf = async () => accepted(await client.provisionOf(uuid)).items?.[0]?.custom_domain;
    expect(await domainOf()).toBeUndefined();

    // As long as the name does not exist, each pass of the daemon changes nothing.
    expect(await client.reconcileDomains(uuid, items(domain))).toBeUndefined();
    expect(accepted(await client.provisionOf(uuid)).status).toBe('ready');

    await names.know(`--host-record=${domain},192.0.2.7`);
    expect(await client.reconcileDomains(uuid, items(domain))).toBeUndefined();
    expect(await desk.next(uuid)).toMatchObject({ status: 'success' });
    expect(await domainOf()).toBe(domain);
    const served = await proxyLabels(lease);
    const custom = Object.entries(served).filter(([key]) => !(key in primary));
    const name = (suffix: string) => custom.find(([key]) => key.endsWith(suffix))?.[0].split('.')[3];
    const c = name('.rule');
    expect(c).toMatch(/^fred-web-[0-9a-f]{7}-custom$/);
    expect(Object.fromEntries(custom)).toEqual({
      'fred.custom_domain': domain,
      [`traefik.http.routers.${c}.rule`]: `Host(\`${domain}\`)`,
      [`traefik.http.routers.${c}.entrypoints`]: 'websecure',
      [`traefik.http.routers.${c}.tls`]: 'true',
      [`traefik.http.routers.${c}.tls.certresolver`]: 'http01',
      [`traefik.http.routers.${c}.middlewares`]: 'security-headers@file',
      [`traefik.http.routers.${c}.service`]: `${c}-svc`,
      [`traefik.http.services.${c}-svc.loadbalancer.server.port`]: '8080',
    });
    // Both instances stand behind the one name.
    expect(await proxyLabels(lease, 'web', 1)).toMatchObject(
      Object.fromEntries(custom.filter(([key]) => key !== 'fred.fqdn')),
    );

    // What is served is not asked about again, not even when its name is gone and the lease starts anew.
    await names.know();
    expect(await client.reconcileDomains(uuid, items(domain))).toBeUndefined();
    expect(accepted(await client.provisionOf(uuid)).status).toBe('ready');
    accepted(await client.restart(uuid));
    expect(await desk.next(uuid)).toMatchObject({ status: 'success' });
    expect(await proxyLabels(lease)).toEqual(served);
    expect(await provider.restart()).toBe(0);
    expect(accepted(await provider.client.provisionOf(uuid)).items?.[0]?.custom_domain).toBe(domain);

    expect(await provider.client.reconcileDomains(uuid, items(''))).toBeUndefined();
    expect(await desk.next(uuid)).toMatchObject({ status: 'success' });
    expect(await proxyLabels(lease)).toEqual(primary);
    accepted(await provider.client.deprovision(uuid));
    expect(await desk.next(uuid)).toMatchObject({ status: 'deprovisioned' });
    expect([desk.violations, desk.untaken]).toEqual([[], []]);
  });
});
