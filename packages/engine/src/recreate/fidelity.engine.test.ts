import { systemClock } from '@berth/service';
import type { ContainerCreateRequest } from '@docker/node-sdk';
import { expect, it } from 'vitest';
import type { AttachmentDetails, ContainerDetails } from '../containers/index.ts';
import { onEveryEngine, type Site } from '../testing/site.ts';
import { askedEndpoint, type Recreated, recreateContainer } from './index.ts';
import { recreateLabels } from './marks.ts';

onEveryEngine('a container that was made anew', (site) => {
  const { containers, networks, volumes, images } = site.engine;
  const door = { ...site.engine, clock: systemClock };
  let counter = 0;
  const recreate = (container: string, more: object = {}): Promise<Recreated> => {
    counter += 1;
    const operation = `op${site.name}${counter}`;
    return recreateContainer(door, { container, operation, graceS: 2, ...more }, { settleMs: 50 });
  };

  /** Subnets that no other test on this machine's engines has. */
  const subnet = (index: number): string => `10.${site.host.engine === '26' ? 92 : 91}.${index}.0/24`;

  /** What has to be the same; names of anonymous volumes and generated values are looked at by themselves. */
  function essence({
    config,
    hostConfig,
    labels,
    attachments,
    imageId,
    state,
    networkMode,
  }: ContainerDetails) {
    const { [recreateLabels.operation]: _, [recreateLabels.replaces]: __, ...own } = labels;
    const { Hostname, Labels, ...rest } = config;
    const { Binds, Mounts, ...host } = hostConfig;
    const asked = ({
      aliases,
      links,
      driverOptions,
      fixedIpv4,
      fixedIpv6,
      networkId,
    }: AttachmentDetails) => ({
      aliases: aliases.filter((alias) => !/^[0-9a-f]{12}$/.test(alias)),
      links,
      driverOptions,
      fixedIpv4,
      fixedIpv6,
      networkId,
    });
    const endpoints = Object.entries(attachments).map(([name, one]) => [name, asked(one)]);
    return {
      rest,
      host,
      own,
      imageId,
      networkMode,
      running: state.running,
      endpoints: Object.fromEntries(endpoints),
    };
  }

  it('is what it was, in everything that the engine tells', async () => {
    await site.network('one', subnet(1));
    await site.network('two', subnet(2));
    const linked = await site.run('linked', { HostConfig: { NetworkMode: site.named('one') } });
    const request: ContainerCreateRequest = {
      Hostname: 'harbour',
      Domainname: 'example.org',
      User: '0:0',
      Env: ['A=1', 'B=two words'],
      Entrypoint: ['sh'],
      Cmd: ['-c', 'trap "exit 0" TERM; sleep infinity & wait'],
      WorkingDir: '/tmp',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      StopSignal: 'SIGTERM',
      StopTimeout: 3,
      Tty: true,
      OpenStdin: true,
      MacAddress: '02:11:22:33:44:55',
      Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000, Retries: 2 },
      Volumes: { '/anonymous': {} },
      HostConfig: {
        NetworkMode: site.named('one'),
        Binds: [`${site.named('volume')}:/named:ro`, '/tmp:/host'],
        Mounts: [
          { Type: 'tmpfs', Target: '/mem', TmpfsOptions: { SizeBytes: 65536 } },
          { Type: 'volume', Target: '/unnamed' },
        ],
        Tmpfs: { '/quick': 'size=64k' },
        CapAdd: ['NET_ADMIN'],
        CapDrop: ['MKNOD'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 4 },
        Memory: 64 * 1024 * 1024,
        NanoCpus: 500_000_000,
        PidsLimit: 77,
        Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
        Sysctls: { 'net.ipv4.ip_forward': '1' },
        Dns: ['9.9.9.9'],
        ExtraHosts: ['other:192.0.2.1'],
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '17010' }] },
        ShmSize: 1024 * 1024,
        Init: true,
        GroupAdd: ['5'],
        OomScoreAdj: 100,
      },
      NetworkingConfig: {
        EndpointsConfig: {
          [site.named('one')]: {
            Aliases: ['front'],
            Links: [`${site.named('linked')}:database`],
            IPAMConfig: { IPv4Address: subnet(1).replace('0/24', '77') },
          },
        },
      },
    };
    const id = await site.create('full', request);
    await networks.connect(site.named('two'), id, { Aliases: ['back', 'other'] });
    await containers.start(id);
    const before = await containers.inspect(id);
    await containers.exec(id, ['sh', '-c', 'echo kept > /anonymous/a; echo kept > /unnamed/b']);

    const { id: now } = await recreate(id);
    const after = await containers.inspect(now);
    expect(essence(after)).toEqual(essence(before));
    expect(after.config.Hostname).toBe('harbour');
    expect(after.attachments[site.named('one')]?.mac).toBe('02:11:22:33:44:55');
    expect(after.name).toBe(site.named('full'));
    const at = ({ mounts }: ContainerDetails) =>
      mounts.map(({ type, name, target, writable }) => [target, type, name, writable]).sort();
    expect(at(after)).toEqual(at(before));
    const read = ['sh', '-c', 'cat /anonymous/a /unnamed/b; hostname -f'];
    expect(await containers.exec(now, read)).toMatchObject({ stdout: 'kept\nkept\nharbour.example.org\n' });

    const { id: again } = await recreate(now);
    expect(essence(await containers.inspect(again))).toEqual(essence(before));
    expect(at(await containers.inspect(again))).toEqual(at(before));
    await containers.remove(linked, { force: true });
  });

  it('is attached again as it was, and its MAC address is in nobody’s way', async () => {
    const network = await site.network('again', subnet(3));
    const id = await site.run('attached');
    const fixed = subnet(3).replace('0/24', '77');
    const DriverOpts = { 'com.example.option': 'kept' };
    const IPAMConfig = { IPv4Address: fixed };
    await networks.connect(network, id, { Aliases: ['front'], DriverOpts, IPAMConfig });
    const attachment = async () => (await containers.inspect(id)).attachments[site.named('again')];
    const before = await attachment();
    if (before === undefined) throw new Error('it is not attached');
    await networks.disconnect(network, id, { force: true });
    // These engines pass a MAC address over when they attach; what they are not to do is to refuse it.
    const mac = '02:11:22:33:44:77';
    await networks.connect(network, id, askedEndpoint({ ...before, mac }, id));
    const after = await attachment();
    expect(after).toMatchObject({ ipv4: fixed, fixedIpv4: fixed, driverOptions: DriverOpts });
    expect(after?.aliases).toContain('front');
    expect([mac, before.mac]).toContain(after?.mac);
    await containers.remove(id, { force: true });
  });

  it('with nothing asked for gets what the engine gives anew, and nothing of the old one', async () => {
    const id = await site.run('plain');
    const before = await containers.inspect(id);
    const after = await containers.inspect((await recreate(id)).id);
    expect(essence(after)).toEqual(essence(before));
    expect(after.config.Hostname).toBe(after.id.slice(0, 12));
    expect(after.attachments['bridge']?.aliases).toEqual([]);
  });

  it('without an entry point, where the image has one, still has none', async () => {
    const image = `${site.name}/entry:1`;
    const from = await site.create('entry-root');
    await images.import(image, await containers.readArchive(from, '/bin'), {
      changes: ['ENTRYPOINT ["/bin/sh", "-c", "exit 9"]'],
    });
    const id = await site.run('entry', { Image: image, Entrypoint: [''], Cmd: ['/bin/sleep', '1000'] });
    const { id: now } = await recreate(id, { graceS: 0 });
    expect((await containers.inspect(now)).config.Cmd).toEqual(['/bin/sleep', '1000']);
    await site.removeContainers();
    await images.remove(image, { force: true });
  });

  it('runs the image that the old one ran, also where the name means another one by now, or none', async () => {
    const image = `${site.name}/moving:1`;
    await images.tag(site.image, image);
    const id = await site.run('moving', { Image: image });
    const { imageId } = await containers.inspect(id);
    async function* other(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1024);
    }
    await images.import(image, other());
    const moved = await containers.inspect((await recreate(id)).id);
    expect([moved.imageId, moved.state.running]).toEqual([imageId, true]);
    await images.remove(image, { force: true });
    const unnamed = await containers.inspect((await recreate(moved.id)).id);
    expect([unnamed.imageId, unnamed.state.running]).toEqual([imageId, true]);
  });

  it("follows its target where that was made anew: the network that it shared is another container's now", async () => {
    const target = await site.run('target', { Hostname: 'owner', ExposedPorts: { '80/tcp': {} } });
    const shared = { HostConfig: { NetworkMode: `container:${target}` } };
    const follower = await site.run('follower', { ...shared, Volumes: { '/data': {} } });
    await containers.exec(follower, ['sh', '-c', 'echo kept > /data/a']);
    const { id: newTarget } = await recreate(target);
    const stranded = await containers.inspect(follower);
    expect(stranded.config.Hostname).toBe('owner');
    expect(stranded.networkMode).toBe(`container:${target}`);

    const { id: now } = await recreate(follower, { networkMode: `container:${site.named('target')}` });
    expect(await containers.inspect(now)).toMatchObject({
      networkMode: `container:${newTarget}`,
      state: { running: true },
    });
    expect(await containers.exec(now, ['cat', '/data/a'])).toMatchObject({ stdout: 'kept\n' });
    const addressOf = async (id: string): Promise<string> =>
      (await containers.exec(id, ['ip', '-4', 'addr', 'show', 'eth0'])).stdout;
    expect(await addressOf(now)).toBe(await addressOf(newTarget));
  });

  it.each([
    ['exited', 'exited'],
    ['created', 'created'],
  ])('is not started where the old one was %s', async (what) => {
    const id = await site.create(`idle-${what}`);
    if (what === 'exited') {
      await containers.start(id);
      await containers.stop(id, { graceS: 2 });
    }
    const now = await containers.inspect((await recreate(id)).id);
    expect(now.state.status).toBe('created');
    expect((await containers.inspect((await recreate(now.id, { start: 'yes' })).id)).state.running).toBe(
      true,
    );
  });

  it('leaves no volume, container or network behind that was not there before', async () => {
    const count = async (s: Site): Promise<number[]> => [
      (await s.containers()).length,
      (await volumes.list()).length,
      (await networks.list()).length,
    ];
    let id = await site.run('tidy', { Volumes: { '/data': {} } });
    const before = await count(site);
    for (let round = 0; round < 2; round++) id = (await recreate(id)).id;
    await expect(
      recreateContainer(
        door,
        { container: id, operation: 'opfailing', graceS: 2 },
        { settleMs: 50, verify: () => Promise.reject(new Error('no')) },
      ),
    ).rejects.toMatchObject({ code: 'ENGINE_RECREATE_FAILED' });
    expect(await count(site)).toEqual(before);
  });
});
