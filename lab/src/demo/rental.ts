/** The second half of the demo: docker-backend rents a container to a tenant, and everything that can happen to a lease. */
import type { Host } from '../host/host.ts';
import type { Client } from '../network/client.ts';
import { accepted, type NewLease, Provider, pageOf } from '../provider/index.ts';
import { untilItWorks } from './project.ts';
import type { Stage } from './stage.ts';

export const rentalChapters = 4;

export async function showRental(host: Host, tenant: Client, stage: Stage): Promise<void> {
  stage.chapter('docker-backend: a provider rents a hardened container to a tenant');
  await using provider = await Provider.open(host);
  const { client, desk } = provider;
  stage.show(
    `docker-backend listens on port ${provider.program.port}, and tells ${desk.url} what became of a lease`,
  );
  const lease = provider.lease();
  const { lease_uuid: uuid } = lease;
  accepted(
    await client.provision(lease, { services: { web: provider.page('Hello from the first release') } }),
  );
  stage.show(`signed POST /provision for the lease ${uuid}: accepted`);
  await told(provider, lease, 'success', stage);
  await shown('Hello from the first release');
  const [facts = ''] = (
    await host.docker(
      ...['inspect', '--format'],
      'read-only {{.HostConfig.ReadonlyRootfs}}, capabilities dropped {{.HostConfig.CapDrop}}, {{.HostConfig.SecurityOpt}}, memory {{.HostConfig.Memory}}, processes {{.HostConfig.PidsLimit}}',
      `fred-${uuid}-web-0`,
    )
  ).split('\n');
  stage.show(`the engine says: ${facts}`);

  stage.chapter('The tenant updates it');
  accepted(await client.update(uuid, { services: { web: provider.page('Hello from the second release') } }));
  await told(provider, lease, 'success', stage);
  await shown('Hello from the second release');

  stage.chapter('A bad update, and the way back');
  const broken = { ...provider.page('never'), command: ['sh', '-c', 'echo something is wrong; exit 1'] };
  accepted(await client.update(uuid, { services: { web: broken } }));
  await told(provider, lease, 'failed', stage);
  await shown('Hello from the second release');
  const releases = accepted(await client.releases(uuid));
  stage.show(`GET /releases: ${releases.map(({ version, status }) => `${version} ${status}`).join(', ')}`);

  stage.chapter('The lease is closed');
  accepted(await client.deprovision(uuid));
  await told(provider, lease, 'deprovisioned', stage);
  const left = await host.docker('ps', '--all', '--quiet', '--filter', `label=fred.lease_uuid=${uuid}`);
  if (left.trim() !== '') throw new Error(`containers of the closed lease are left: ${left}`);
  stage.show('no container of it is left');

  async function shown(page: string): Promise<void> {
    const { result } = await untilItWorks('reaching the page of the tenant', async () => {
      const { host: address, instances } = accepted(await client.info(uuid));
      const text = await pageOf(tenant, address, instances[0]);
      return { text, port: instances[0]?.ports?.['8080/tcp']?.host_port };
    });
    if (result.text !== page) throw new Error(`the page says "${result.text}" and not "${page}"`);
    stage.show(`${tenant.name} ${tenant.v4} → ${host.addresses.v4}:${result.port}  "${result.text}"`);
  }
}

/** Waits for the callback, and shows it. */
async function told({ desk }: Provider, lease: NewLease, outcome: string, stage: Stage): Promise<void> {
  const { status, error } = await desk.next(lease.lease_uuid);
  if (status !== outcome) throw new Error(`the backend says ${status} (${error}) and not ${outcome}`);
  stage.show(`signed callback: ${status}${error === undefined ? '' : ` (${error})`}`);
}
