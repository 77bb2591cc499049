import type { HostConfig } from '@docker/node-sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerDetails } from '../containers/index.ts';
import { aContainer, anAttachment, fullId } from '../testing/a-container.ts';
import { asideName, parseAsideName, recreateLabels } from './marks.ts';
import { askedEndpoint } from './network-plan.ts';
import { type Change, planRecreate } from './plan.ts';

const old1041 = { major: 1, minor: 41 };
const api1044 = { major: 1, minor: 44 };
const plan = (old: ContainerDetails, change: Partial<Change> = {}, api = old1041) =>
  planRecreate(old, { operation: 'op0001', ...change }, api);
const target = `container:${fullId('bbbb')}`;

describe('the same container anew', () => {
  it('takes everything along that the engine tells, known to us or not', () => {
    const hostConfig = {
      Memory: 7,
      CapAdd: ['NET_ADMIN'],
      RestartPolicy: { Name: 'always' },
      FromTheFuture: { a: 1 },
    };
    const { request, imageId } = plan(
      aContainer({
        config: {
          Image: 'shop/web:1',
          Env: ['A=1'],
          Cmd: ['serve'],
          User: '5',
          Healthcheck: { Test: ['NONE'] },
        },
        hostConfig: hostConfig as HostConfig,
        labels: { 'com.docker.compose.project': 'shop' },
      }),
    );
    expect(request).toMatchObject({
      Image: 'shop/web:1',
      Env: ['A=1'],
      Cmd: ['serve'],
      User: '5',
      Healthcheck: { Test: ['NONE'] },
      HostConfig: { ...hostConfig, NetworkMode: 'default' },
    });
    expect(imageId).toBe('sha256:1');
    expect(request.Labels).toEqual({
      'com.docker.compose.project': 'shop',
      [recreateLabels.operation]: 'op0001',
      [recreateLabels.replaces]: fullId('aaaa'),
    });
  });

  it('does not carry the marks of an earlier operation', () => {
    const labels = { [recreateLabels.operation]: 'earlier', [recreateLabels.replaces]: 'x', own: 'y' };
    expect(plan(aContainer({ labels }), { labels: { own: 'z', more: '1' } }).request.Labels).toEqual({
      own: 'z',
      more: '1',
      [recreateLabels.operation]: 'op0001',
      [recreateLabels.replaces]: fullId('aaaa'),
    });
  });

  it('keeps a host name that was given, and not one that the engine made of the id', () => {
    const named = (Hostname: string) => plan(aContainer({ config: { Hostname } })).request.Hostname;
    expect(named('mail')).toBe('mail');
    expect(named(fullId('aaaa').slice(0, 12))).toBe('');
    const inHost = aContainer({ config: { Hostname: 'the-host' }, hostConfig: { UTSMode: 'host' } });
    expect(plan(inHost).request.Hostname).toBe('');
  });

  it('leaves an entry point away that was taken away', () => {
    const entrypoint = (config: ContainerDetails['config']) =>
      plan(aContainer({ config })).request.Entrypoint;
    expect(entrypoint({ Cmd: ['a'] })).toEqual(['']);
    expect(entrypoint({ Cmd: ['a'], Entrypoint: [] })).toEqual(['']);
    expect(entrypoint({ Cmd: ['a'], Entrypoint: ['b'] })).toEqual(['b']);
    expect(entrypoint({ Entrypoint: ['b'] })).toEqual(['b']);
    expect(entrypoint({})).toBeUndefined();
  });

  it('asks for links as they were asked for', () => {
    const hostConfig = { Links: ['/db:/web/database', '/old/mq:/web.berth-op0001/queue', 'a:b'] };
    expect(plan(aContainer({ hostConfig })).request.HostConfig?.Links).toEqual([
      'db:database',
      'old/mq:queue',
      'a:b',
    ]);
  });

  it('runs if the old one ran, unless it is said otherwise', () => {
    const { state } = aContainer();
    const stopped = aContainer({ state: { ...state, status: 'exited', running: false } });
    expect(plan(aContainer())).toMatchObject({ oldRuns: true, starts: true, aside: 'web.berth-op0001.up' });
    expect(plan(stopped)).toMatchObject({ oldRuns: false, starts: false, aside: 'web.berth-op0001' });
    expect(plan(stopped, { start: 'yes' }).starts).toBe(true);
    expect(plan(aContainer(), { start: 'no' }).starts).toBe(false);
  });

  it('knows a container that its own operation has set aside, and stopped', () => {
    const { state } = aContainer();
    const name = 'web.berth-op0001.up';
    const aside = aContainer({ name, state: { ...state, status: 'exited', running: false } });
    expect(plan(aside)).toMatchObject({ name: 'web', aside: name, oldRuns: true, starts: true });
  });

  it('grants the old one its own time to stop', () => {
    expect(plan(aContainer()).graceS).toBeUndefined();
    expect(plan(aContainer({ config: { StopTimeout: 90 } })).graceS).toBe(90);
    expect(plan(aContainer({ config: { StopTimeout: 90 } }), { graceS: 3 }).graceS).toBe(3);
  });

  const { state } = aContainer();
  it.each<[string, Partial<ContainerDetails>]>([
    ['removes itself', { hostConfig: { AutoRemove: true } }],
    ['it is paused', { state: { ...state, status: 'paused', paused: true } }],
    ['state is "removing"', { state: { ...state, status: 'removing' } }],
    ['state is "unknown"', { state: { ...state, status: 'unknown' } }],
    ['Swarm', { labels: { 'com.docker.swarm.task.id': 'x' } }],
    ['operation other1 has set it aside', { name: 'web.berth-other1' }],
    ['all of its networks', { attachments: {} }],
  ])('is refused where it %s', (why, old) => {
    expect(() => plan(aContainer(old))).toThrow(why);
    expect(() => plan(aContainer(old))).toThrow(expect.objectContaining({ code: 'ENGINE_RECREATE_REFUSED' }));
  });

  it('is refused for an operation without a proper name', () => {
    for (const operation of ['', 'short', 'Upper01', 'with space', 'a.b.c.d', 'x'.repeat(33)])
      expect(() => plan(aContainer(), { operation })).toThrow('cannot name an operation');
  });
});

describe("in another container's network", () => {
  const full = aContainer({
    config: {
      Hostname: 'mail',
      Domainname: 'example.org',
      MacAddress: '02:00:00:00:00:01',
      ExposedPorts: { '25/tcp': {} },
    },
    hostConfig: {
      PortBindings: { '25/tcp': [{ HostPort: '25' }] },
      PublishAllPorts: true,
      Dns: ['9.9.9.9'],
      DnsOptions: ['ndots:1'],
      DnsSearch: ['example.org'],
      ExtraHosts: ['a:1.2.3.4'],
      Links: ['/db:/web/db'],
      Memory: 7,
    },
    attachments: { lan: anAttachment({ aliases: ['mail'], fixedIpv4: '10.0.0.2' }) },
    networkMode: 'lan',
  });

  it('has nothing of its own there, and keeps all the rest', () => {
    for (const api of [old1041, api1044]) {
      const { request, connects } = plan(full, { networkMode: target }, api);
      expect(request).toMatchObject({ Hostname: '', Domainname: '', ExposedPorts: {} });
      expect(request.MacAddress).toBeUndefined();
      expect(request.HostConfig).toEqual({
        Binds: [],
        Mounts: [],
        Memory: 7,
        NetworkMode: target,
        PortBindings: {},
        PublishAllPorts: false,
        Dns: [],
        DnsOptions: [],
        DnsSearch: [],
        ExtraHosts: [],
        Links: [],
      });
      expect(request.NetworkingConfig).toEqual({ EndpointsConfig: {} });
      expect(connects).toEqual([]);
    }
  });

  it("does not take its owner's host name along when it leaves", () => {
    const inside = aContainer({
      networkMode: target,
      attachments: {},
      config: { Hostname: 'owner', Domainname: 'd' },
    });
    expect(plan(inside, { networkMode: 'lan' }).request).toMatchObject({
      Hostname: '',
      Domainname: '',
      HostConfig: { NetworkMode: 'lan' },
      NetworkingConfig: { EndpointsConfig: { lan: {} } },
    });
  });
});

describe('on its networks', () => {
  const several = (more: Partial<ContainerDetails> = {}): ContainerDetails =>
    aContainer({
      networkMode: 'front',
      config: { MacAddress: '02:00:00:00:00:01' },
      attachments: {
        back: anAttachment({ aliases: ['web', fullId('aaaa').slice(0, 12)], mac: '02:00:00:00:00:02' }),
        front: anAttachment({
          networkId: fullId('dddddddddddd'),
          fixedIpv4: '10.0.0.2',
          fixedIpv6: 'fd00::2',
          linkLocalAddresses: ['169.254.1.1'],
          driverOptions: { speed: 'high' },
          links: ['db:database'],
          gatewayPriority: 5,
          mac: '02:00:00:00:00:01',
        }),
        third: anAttachment(),
      },
      ...more,
    });
  const front = {
    IPAMConfig: { IPv4Address: '10.0.0.2', IPv6Address: 'fd00::2', LinkLocalIPs: ['169.254.1.1'] },
    DriverOpts: { speed: 'high' },
    Links: ['db:database'],
    GwPriority: 5,
  };

  it('an old engine takes one with the request, and the others one after another', () => {
    const { request, connects } = plan(several());
    expect(request.MacAddress).toBe('02:00:00:00:00:01');
    expect(request.NetworkingConfig).toEqual({ EndpointsConfig: { front } });
    expect(connects).toEqual([
      { network: 'back', endpoint: { Aliases: ['web'] } },
      { network: 'third', endpoint: {} },
    ]);
  });

  it('a newer one takes them all, each with its own MAC address', () => {
    const { request, connects } = plan(several(), {}, api1044);
    expect(request.MacAddress).toBeUndefined();
    expect(request.NetworkingConfig).toEqual({
      EndpointsConfig: {
        front: { ...front, MacAddress: '02:00:00:00:00:01' },
        back: { Aliases: ['web'], MacAddress: '02:00:00:00:00:02' },
        third: {},
      },
    });
    expect(connects).toEqual([]);
  });

  it('is attached to one again as it had asked for, its MAC address included unless the engine had made it', () => {
    const id = fullId('aaaa');
    const { front: asked, back, third } = several().attachments;
    const again = (attachment = third) => attachment && askedEndpoint(attachment, id);
    expect(again(asked)).toEqual({ ...front, MacAddress: '02:00:00:00:00:01' });
    expect(again(back)).toEqual({ Aliases: ['web'], MacAddress: '02:00:00:00:00:02' });
    expect(again(third)).toEqual({});
    expect(again(anAttachment({ ipv4: '10.0.0.9', mac: '02:42:0a:00:00:09' }))).toEqual({});
  });

  it('its own one is found by name or id, and is another one if it left that', () => {
    const own = (networkMode: string) => plan(several({ networkMode })).request;
    for (const mode of ['front', fullId('dddddddddddd'), 'dddddddddddd'])
      expect(own(mode)).toMatchObject({
        HostConfig: { NetworkMode: 'front' },
        NetworkingConfig: { EndpointsConfig: { front } },
      });
    expect(own('gone').HostConfig?.NetworkMode).toBe('back');
    expect(own('default').HostConfig?.NetworkMode).toBe('back');
  });

  it('the default bridge stays what it was called', () => {
    for (const networkMode of ['default', 'bridge', ''])
      expect(plan(aContainer({ networkMode })).request).toMatchObject({
        HostConfig: { NetworkMode: networkMode },
        NetworkingConfig: { EndpointsConfig: { bridge: {} } },
      });
  });

  it('"host" and "none" are none', () => {
    for (const networkMode of ['host', 'none'])
      expect(plan(aContainer({ networkMode, attachments: { [networkMode]: anAttachment() } }))).toMatchObject(
        {
          request: { HostConfig: { NetworkMode: networkMode }, NetworkingConfig: { EndpointsConfig: {} } },
          connects: [],
        },
      );
  });
});

describe('with its volumes', () => {
  const volume = (target: string, name = `v${target}`, writable = true) => ({
    type: 'volume',
    name,
    source: '/var/lib/docker/volumes/x/_data',
    target,
    writable,
  });
  const mount = (target: string, ReadOnly = false) => ({
    Type: 'volume',
    Source: `v${target}`,
    Target: target,
    ReadOnly,
    VolumeOptions: { NoCopy: true },
  });

  it('goes on with the anonymous ones by their names', () => {
    const old = aContainer({ mounts: [volume('/data'), volume('/log', undefined, false)] });
    expect(plan(old).request.HostConfig).toMatchObject({
      Binds: [],
      Mounts: [mount('/data'), mount('/log', true)],
    });
  });

  it('leaves alone what has a source of its own', () => {
    const mounts = [
      volume('/a', 'named'),
      volume('/b', 'named'),
      { type: 'bind', name: undefined, source: '/srv', target: '/c', writable: true },
      { type: 'tmpfs', name: undefined, source: undefined, target: '/d', writable: true },
    ];
    const hostConfig = {
      Binds: ['named:/a/:ro', '/srv:/c'],
      Mounts: [
        { Type: 'volume' as const, Source: 'named', Target: '/b' },
        { Type: 'tmpfs' as const, Target: '/d' },
      ],
    };
    expect(plan(aContainer({ mounts, hostConfig })).request.HostConfig).toMatchObject(hostConfig);
  });

  it('puts the name where a volume was asked for without one', () => {
    const hostConfig = {
      Binds: ['/a', 'named:/keep'],
      Mounts: [{ Type: 'volume' as const, Target: '/b/' }],
    };
    const old = aContainer({ mounts: [volume('/a'), volume('/b')], hostConfig });
    expect(plan(old).request.HostConfig).toMatchObject({
      Binds: ['named:/keep'],
      Mounts: [mount('/a'), mount('/b')],
    });
  });
});

it('the name of a container that was set aside can be read again, whatever its name was', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,30}$/);
  fc.assert(
    fc.property(name, fc.stringMatching(/^[a-z0-9]{6,32}$/), fc.boolean(), (given, operation, ran) => {
      const aside = { name: given, operation, ran };
      expect(parseAsideName(asideName(aside))).toEqual(aside);
      expect(asideName(aside)).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
    }),
  );
});
