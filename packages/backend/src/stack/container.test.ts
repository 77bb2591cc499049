import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaseItem } from '../lease/index.ts';
import { parseManifest } from '../manifest/index.ts';
import { item, newLease } from '../testing/leases.ts';
import { encoded, stackManifest } from '../testing/manifests.ts';
import { containerPlan, type StackSettings, type Surroundings } from './container.ts';
import { instancesOf } from './instances.ts';

const lease = { ...newLease(), failCount: 2 };
const catalogue = {
  profiles: new Map([['small', { cpuCores: 0.25, memoryMb: 128, diskMb: 0 }]]),
  mapping: new Map<string, string>(),
};
const settings: StackSettings = {
  backendName: 'docker-1',
  hostBindIp: '0.0.0.0',
  tmpfsSizeMb: 64,
  ingress: undefined,
  readonlyRootfs: true,
  pidsLimit: 256,
  nofileLimit: 0,
  logMaxSizeMb: 10,
  logMaxFiles: 3,
};
const surroundings: Surroundings = {
  network: 'fred-tenant-90805a091731874e',
  runAs: { uid: 0, gid: 0 },
  imageVolumes: [],
  binds: new Map(),
  operationId: 'op-1',
  createdAtMs: Date.UTC(2026, 7, 20, 10, 0, 0, 123),
};

function plans(
  document: object,
  items: readonly LeaseItem[] = [item()],
  more: { settings?: Partial<StackSettings>; surroundings?: Partial<Surroundings> } = {},
) {
  const { stack } = parseManifest(encoded(document));
  return instancesOf(lease, items, stack, catalogue).map((instance) =>
    containerPlan({ ...settings, ...more.settings }, lease, instance, {
      ...surroundings,
      ...more.surroundings,
    }),
  );
}

const plan = (service: object, more: Parameters<typeof plans>[2] = {}) =>
  plans({ services: { web: { image: 'nginx', ...service } } }, [item()], more)[0]!;

describe('a container', () => {
  it('is shut in, whatever its manifest says', () => {
    expect(plan({ init: true }).request.HostConfig).toEqual({
      CapDrop: ['ALL'],
      CapAdd: [],
      Privileged: false,
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      Memory: 134217728,
      MemorySwap: 134217728,
      NanoCpus: 250000000,
      PidsLimit: 256,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      PidMode: '',
      IpcMode: 'private',
      UTSMode: '',
      UsernsMode: '',
      Init: true,
      NetworkMode: 'fred-tenant-90805a091731874e',
      PortBindings: {},
      Mounts: [],
      Tmpfs: {
        '/tmp': 'rw,noexec,nosuid,nodev,size=67108864,mode=1777',
        '/run': 'rw,noexec,nosuid,nodev,size=67108864,mode=1777',
      },
    });
  });

  it('runs what the manifest says', () => {
    const { name, request } = plan({
      command: ['/bin/web'],
      args: ['--serve'],
      env: { A: 'b=c', EMPTY: '' },
      ports: { '8080/tcp': {}, '53/udp': {} },
      expose: ['9000', '8080'],
      health_check: { test: ['CMD', 'true'], interval: '5s', retries: 3 },
      stop_grace_period: '1500ms',
    });
    expect(name).toBe(`fred-${lease.uuid}-web-0`);
    expect(request).toMatchObject({
      Image: 'nginx',
      Entrypoint: ['/bin/web'],
      Cmd: ['--serve'],
      Env: ['A=b=c', 'EMPTY='],
      ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '9000/tcp': {} },
      Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9, Retries: 3 },
      StopTimeout: 2,
      HostConfig: {
        PortBindings: {
          '8080/tcp': [{ HostIp: '0.0.0.0', HostPort: '' }],
          '53/udp': [{ HostIp: '0.0.0.0', HostPort: '' }],
        },
      },
      NetworkingConfig: { EndpointsConfig: { 'fred-tenant-90805a091731874e': { Aliases: ['web'] } } },
    });
    for (const key of ['User', 'Volumes', 'Hostname']) expect(request).not.toHaveProperty(key);
    for (const key of ['Entrypoint', 'Cmd', 'Healthcheck', 'StopTimeout'])
      expect(plan({}).request).not.toHaveProperty(key);
  });

  it('runs as a user by number, and as root only if nobody says otherwise', () => {
    expect(plan({}, { surroundings: { runAs: { uid: 999, gid: 0 } } }).request.User).toBe('999:0');
    expect(plan({}).request).not.toHaveProperty('User');
  });

  it('has every path mounted once, folders of the host before memory, and no anonymous volume', () => {
    const { HostConfig: host } = plan(
      { tmpfs: ['/cache', '/data/x'] },
      {
        surroundings: {
          imageVolumes: ['/data', '/cache', '/tmp', '/var/lib/app'],
          binds: new Map([['/data', '/srv/volumes/a/data']]),
          runAs: { uid: 999, gid: 998 },
        },
      },
    ).request;
    expect(host?.Mounts).toEqual([{ Type: 'bind', Source: '/srv/volumes/a/data', Target: '/data' }]);
    const scratch = 'rw,noexec,nosuid,nodev,size=67108864,mode=1777';
    expect(host?.Tmpfs).toEqual({
      '/tmp': scratch,
      '/run': scratch,
      '/cache': scratch,
      '/data/x': scratch,
      '/var/lib/app': 'rw,noexec,nosuid,nodev,size=67108864,mode=0700,uid=999,gid=998',
    });
    const writable = plan(
      { tmpfs: ['/cache'] },
      { settings: { readonlyRootfs: false }, surroundings: { imageVolumes: ['/data'] } },
    );
    expect(Object.keys(writable.request.HostConfig?.Tmpfs ?? {})).toEqual(['/data']);
  });

  it('may be given a limit of open files', () => {
    expect(plan({}, { settings: { nofileLimit: 4096 } }).request.HostConfig?.Ulimits).toEqual([
      { Name: 'nofile', Soft: 4096, Hard: 4096 },
    ]);
  });

  it('says in its labels what the lease is, and lets the tenant change none of that', () => {
    const { request } = plan({
      labels: { app: 'x', 'com.docker.compose.project': 'fred-other', 'com.docker.compose.oneoff': 'True' },
    });
    expect(request.Labels).toEqual({
      'fred.managed': 'true',
      'fred.lease_uuid': lease.uuid,
      'fred.tenant': 'manifest1abc',
      'fred.provider_uuid': '0190aaaa-0000-7000-8000-000000000001',
      'fred.sku': 'small',
      'fred.created_at': '2026-08-20T10:00:00Z',
      'fred.instance_index': '0',
      'fred.fail_count': '2',
      'fred.callback_url': 'http://127.0.0.1/callbacks/provision',
      'fred.backend_name': 'docker-1',
      'fred.service_name': 'web',
      'fred.quantity': '1',
      'fred.operation_id': 'op-1',
      app: 'x',
      'com.docker.compose.project': `fred-${lease.uuid}`,
      'com.docker.compose.service': 'web',
      'com.docker.compose.version': expect.any(String),
      'com.docker.compose.oneoff': 'False',
      'com.docker.compose.container-number': '1',
      'com.docker.compose.config-hash': expect.any(String),
    });
  });

  it('is reached through the proxy when it has a port for it, on its own name and the custom one', () => {
    const ingress = {
      wildcardDomain: 'apps.example.net',
      entrypoint: 'websecure',
      certResolver: 'http01',
      middlewares: ['security-headers@file'],
    };
    const labelled = (service: object, domain = '') =>
      plans({ services: { web: { image: 'nginx', ...service } } }, [item({ customDomain: domain })], {
        settings: { ingress },
      })[0]?.request.Labels ?? {};
    const routed = labelled({ ports: { '80/tcp': {} } }, 'www.acme.example');
    expect(routed['fred.fqdn']).toBe('web-b6a9799.apps.example.net');
    expect(routed['fred.custom_domain']).toBe('www.acme.example');
    expect(routed['traefik.docker.network']).toBe('fred-tenant-90805a091731874e');
    expect(
      Object.keys(labelled({ ports: { '53/udp': {} } }, 'www.acme.example')).filter((key) =>
        key.startsWith('traefik'),
      ),
    ).toEqual([]);
  });

  it('without isolation is on the default bridge, where nobody has a name', () => {
    const { request } = plan({}, { surroundings: { network: undefined } });
    expect(request.HostConfig?.NetworkMode).toBe('bridge');
    expect(request).not.toHaveProperty('NetworkingConfig');
  });
});

describe('a stack', () => {
  it('has one container for each instance, in an order that respects dependencies', () => {
    const started = (target: string) => ({
      image: 'x',
      depends_on: { [target]: { condition: 'service_started' } },
    });
    const document = { services: { web: started('db'), db: started('init'), init: { image: 'x' } } };
    const items = [
      item({ quantity: 2 }),
      item({ serviceName: 'db' }),
      item({ serviceName: 'init', quantity: 0 }),
    ];
    const made = plans(document, items);
    expect(made.map(({ name }) => name.replace(`fred-${lease.uuid}-`, ''))).toEqual([
      'db-0',
      'web-0',
      'web-1',
    ]);
    expect(made.map(({ request }) => request.Labels?.['com.docker.compose.service'])).toEqual([
      'db',
      'web-0',
      'web-1',
    ]);
  });

  it('of any manifest gives only containers that are shut in', () => {
    fc.assert(
      fc.property(stackManifest, (document) => {
        const { stack } = parseManifest(encoded(document));
        const items = [...stack.services.keys()].map((serviceName) => item({ serviceName }));
        for (const instance of instancesOf(lease, items, stack, catalogue)) {
          const { request } = containerPlan(settings, lease, instance, surroundings);
          const host = request.HostConfig;
          expect([host?.Privileged, host?.CapDrop, host?.CapAdd, host?.SecurityOpt]).toEqual([
            false,
            ['ALL'],
            [],
            ['no-new-privileges:true'],
          ]);
          expect(host?.RestartPolicy).toEqual({ Name: 'no' });
          expect(
            Object.values(host?.PortBindings ?? {})
              .flat()
              .every((binding) => binding?.HostPort === ''),
          ).toBe(true);
          expect(Object.keys(host?.Tmpfs ?? {})).toEqual(expect.arrayContaining(['/tmp', '/run']));
          expect(request.Labels?.['fred.lease_uuid']).toBe(lease.uuid);
          expect(request.Labels?.['com.docker.compose.project']).toBe(`fred-${lease.uuid}`);
        }
      }),
    );
  });
});
