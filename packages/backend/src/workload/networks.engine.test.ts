import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantNetworkName } from '../names/index.ts';
import { Rig, service } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({ proxy: true });
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const server = service({
  init: true,
  command: ['httpd', '-f', '-p', '8080', '-h', '/srv/www'],
  ports: { '8080/tcp': {} },
});

describe('the network of a tenant', () => {
  it('is one for all of its leases, made once, gone with the last', async () => {
    const tenant = 'manifest1many';
    const leases = await Promise.all(
      Array.from({ length: 4 }, () => rig.running({ web: service() }, { tenant })),
    );
    expect(await rig.networks()).toEqual([tenantNetworkName(tenant)]);
    const made = rig.proxy.exchanges.filter(
      ({ url, status }) => url.endsWith('/networks/create') && status === 201,
    );
    expect(made).toHaveLength(1);
    const [last = '', ...others] = leases;
    await Promise.all(others.map((uuid) => rig.deprovision(uuid)));
    expect(await rig.networks()).toEqual([tenantNetworkName(tenant)]);
    await rig.deprovision(last);
    expect(await rig.networks()).toEqual([]);
  });

  it('joins the services of a tenant by name, and parts it from every other tenant', async () => {
    const web = await rig.running({ web: server }, { tenant: 'manifest1a' });
    const [mine, foreign] = await Promise.all([
      rig.running({ client: service() }, { tenant: 'manifest1a' }),
      rig.running({ client: service() }, { tenant: 'manifest1b' }),
    ]);
    const { attachments } = await rig.container(web);
    const address = Object.values(attachments)[0]?.ipv4;
    const ask = async (uuid: string, host: string | undefined) =>
      await rig.inside(
        (await rig.container(uuid)).id,
        'timeout',
        '3',
        'wget',
        '-q',
        '-O',
        '-',
        `http://${host}:8080/`,
      );
    const served = async (host: string | undefined): Promise<boolean> => {
      const { code, out } = await ask(mine, host);
      return code === 0 && out === 'one';
    };
    for (const host of ['web', address])
      await waitFor(`the page of ${host}`, () => served(host), { timeoutMs: 60_000 });
    expect((await ask(foreign, 'web')).out).toMatch(/bad address/);
    expect((await ask(foreign, address)).code, 'it is cut off').not.toBe(0);
    await Promise.all([web, mine, foreign].map((uuid) => rig.deprovision(uuid)));
  });

  it('is made again after a lost answer, and a provision does not fail for that', async () => {
    const rule = rig.proxy.add({ on: 'POST /networks/create', fault: { kind: 'drop-answer' }, times: 1 });
    const uuid = await rig.running({ web: service() }, { tenant: 'manifest1lost' });
    expect(rule.hits).toBe(1);
    expect(await rig.networks()).toEqual([tenantNetworkName('manifest1lost')]);
    await rig.deprovision(uuid);
  });

  it('fails the provision that it cannot be made for, and leaves nothing', async () => {
    rig.proxy.add({
      on: 'POST /networks/create',
      fault: { kind: 'fail', status: 500, message: 'could not find an available pool' },
    });
    const uuid = await rig.provision({ web: service() }, { tenant: 'manifest1full' });
    expect(await rig.receiver.wait(uuid)).toMatchObject({
      status: 'failed',
      error: 'tenant network setup failed',
    });
    rig.proxy.clear();
    expect(await rig.containers(uuid)).toEqual([]);
    expect(await rig.ask(200, 'GET', '/stats')).toMatchObject({
      allocated_cpu_cores: 0,
      allocated_memory_mb: 0,
    });
    await rig.deprovision(uuid);
    expect(await rig.networks()).toEqual([]);
  });

  it('of a tenant whom nobody knows is removed at the next start, and another backend keeps its own', async () => {
    await using other = await Rig.open();
    const theirs = await other.running({ web: service() }, { tenant: 'manifest1shared' });
    const ours = await rig.running({ web: service() }, { tenant: 'manifest1shared' });
    expect(await rig.networks()).toContain(`${tenantNetworkName('manifest1shared')}-${rig.name}`);
    await rig.deprovision(ours);
    expect(await other.networks(), 'the other one is not ours to remove').toHaveLength(1);
    expect((await other.info(theirs))?.status).toBe('ready');
    const label = { 'fred.managed': 'true', 'fred.tenant': 'gone', 'fred.backend_name': rig.name };
    await rig.engine.networks.create({ Name: `${rig.name}-orphan`, Labels: label });
    await rig.stop();
    await rig.start();
    expect(await rig.networks()).toEqual([]);
  });

  it('can be done without: all are on the default bridge, where ports are published all the same', async () => {
    await using open = await Rig.open({ config: { network_isolation: false } });
    const uuid = await open.running({ web: server });
    const { attachments, ports } = await open.container(uuid);
    expect(Object.keys(attachments)).toEqual(['bridge']);
    expect(await open.networks()).toEqual([]);
    const page = () => open.fetch(ports[0]?.hostPort ?? 0).catch(() => '');
    await waitFor('the page', async () => (await page()) === 'one\n', { timeoutMs: 60_000 });
  });
});
