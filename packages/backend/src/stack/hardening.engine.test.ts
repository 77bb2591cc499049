/** What keeps a tenant inside, on the real container: as the engine shows it, and as the tenant finds it. */
import type { ContainerDetails } from '@berth/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tenantNetworkName } from '../names/index.ts';
import { Rig, service } from '../testing/rig/rig.ts';

const mib = 1024 * 1024;
let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({
    config: { container_pids_limit: 20, container_tmpfs_size_mb: 8, container_nofile_limit: 128 },
  });
});
afterAll(() => rig?.[Symbol.asyncDispose]());

const tenant = 'manifest1hardened';
let uuid: string;
let container: ContainerDetails;
beforeAll(async () => {
  const web = service({
    env: { GREETING: 'hello world', EMPTY: '' },
    ports: { '8080/tcp': {}, '5353/udp': {} },
    expose: ['9000'],
    labels: { app: 'shop' },
    tmpfs: ['/scratch'],
    user: 'web:staff',
    stop_grace_period: '3s',
    init: true,
    health_check: { test: ['CMD', 'true'], interval: '1s', timeout: '2s', retries: 4, start_period: '5s' },
    command: ['sh', '-c'],
    args: ["trap 'exit 0' TERM; httpd -f -p 8080 -h /srv/www & sleep 3600 & wait"],
  });
  uuid = await rig.running({ web }, { tenant });
  container = await rig.container(uuid);
});

const inside = async (...argv: readonly string[]): Promise<string> =>
  (await rig.inside(container.id, ...argv)).out;
const shell = (line: string) => rig.inside(container.id, 'sh', '-c', line);
const group = (file: string): Promise<string> => inside('cat', `/sys/fs/cgroup/${file}`);

/** What the kernel holds the container to, whatever version of control groups it has. */
async function limits() {
  const { cgroupVersion } = await rig.engine.system.info();
  if (cgroupVersion === '2') {
    const [quota, period] = (await group('cpu.max')).split(' ').map(Number);
    return {
      memory: Number(await group('memory.max')),
      swap: Number(await group('memory.swap.max')),
      cores: (quota ?? 0) / (period ?? 0),
      processes: Number(await group('pids.max')),
    };
  }
  const memory = Number(await group('memory/memory.limit_in_bytes'));
  return {
    memory,
    swap: Number(await group('memory/memory.memsw.limit_in_bytes')) - memory,
    cores: Number(await group('cpu/cpu.cfs_quota_us')) / Number(await group('cpu/cpu.cfs_period_us')),
    processes: Number(await group('pids/pids.max')),
  };
}

describe('to the engine, a container', () => {
  it('has no capability, gains none, and is not privileged', () => {
    expect(container.hostConfig).toMatchObject({ CapDrop: ['ALL'], Privileged: false });
    expect(container.hostConfig.CapAdd ?? []).toEqual([]);
    expect(container.hostConfig.SecurityOpt).toContain('no-new-privileges:true');
    expect(container.hostConfig.Devices ?? []).toEqual([]);
  });

  it('has the limits of its profile, and no swap', () => {
    expect(container.hostConfig).toMatchObject({
      Memory: 64 * mib,
      MemorySwap: 64 * mib,
      NanoCpus: 0.5e9,
      PidsLimit: 20,
      Ulimits: [{ Name: 'nofile', Soft: 128, Hard: 128 }],
    });
  });

  it('stays down when it ends, and its log cannot grow for ever', () => {
    expect(container.hostConfig.RestartPolicy?.Name).toBe('no');
    expect(container.hostConfig.AutoRemove).toBe(false);
    expect(container.hostConfig.LogConfig).toEqual({
      Type: 'json-file',
      Config: { 'max-size': '10m', 'max-file': '3' },
    });
  });

  it('has namespaces of its own', () => {
    const { PidMode, IpcMode, UTSMode, UsernsMode } = container.hostConfig;
    expect([PidMode, IpcMode, UTSMode, UsernsMode]).toEqual(['', 'private', '', '']);
  });

  it('has a root that cannot be written, memory where it can, and no volume of any kind', () => {
    expect(container.hostConfig.ReadonlyRootfs).toBe(true);
    expect(Object.keys(container.hostConfig.Tmpfs ?? {}).sort()).toEqual(['/run', '/scratch', '/tmp']);
    expect(container.mounts.filter(({ type }) => type !== 'tmpfs')).toEqual([]);
    expect(container.hostConfig.Binds ?? []).toEqual([]);
  });

  it('is on the network of its tenant and on no other, under the name of its service', () => {
    const network = tenantNetworkName(tenant);
    expect(Object.keys(container.attachments)).toEqual([network]);
    expect(container.attachments[network]?.aliases).toContain('web');
  });

  it('publishes what it declares, on ports that the engine chose', () => {
    expect(container.config.ExposedPorts).toEqual({ '8080/tcp': {}, '5353/udp': {}, '9000/tcp': {} });
    const ports = container.ports.filter(({ hostIp }) => hostIp === '0.0.0.0');
    expect(ports.map(({ containerPort }) => containerPort).sort()).toEqual(['5353/udp', '8080/tcp']);
    for (const { hostPort } of ports) expect(hostPort).toBeGreaterThan(1024);
    for (const bindings of Object.values(container.hostConfig.PortBindings ?? {}))
      for (const { HostPort } of bindings ?? []) expect(HostPort).toBe('');
  });

  it('is as the manifest says beside that', () => {
    expect(container.config).toMatchObject({
      User: '1234:1300',
      StopTimeout: 3,
      Entrypoint: ['sh', '-c'],
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 2e9, Retries: 4, StartPeriod: 5e9 },
    });
    expect(container.config.Env).toEqual(expect.arrayContaining(['GREETING=hello world', 'EMPTY=']));
    expect(container.hostConfig.Init).toBe(true);
  });

  it('says in its labels whose it is', () => {
    expect(container.name).toBe(`fred-${uuid}-web-0`);
    expect(container.labels).toMatchObject({
      'fred.managed': 'true',
      'fred.lease_uuid': uuid,
      'fred.tenant': tenant,
      'fred.provider_uuid': expect.stringMatching(/./),
      'fred.sku': 'small',
      'fred.instance_index': '0',
      'fred.fail_count': '0',
      'fred.callback_url': rig.receiver.url,
      'fred.backend_name': rig.name,
      'fred.service_name': 'web',
      'com.docker.compose.project': `fred-${uuid}`,
      'com.docker.compose.service': 'web',
      'com.docker.compose.oneoff': 'False',
      app: 'shop',
    });
    expect(Date.parse(container.labels['fred.created_at'] ?? '')).toBeGreaterThan(Date.now() - 600_000);
  });
});

describe('inside, a tenant', () => {
  it('has no capability left, cannot gain any, and is filtered', async () => {
    const status = await inside('cat', '/proc/self/status');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(`${set}:\\s+0{16}\\b`));
    expect(status).toMatch(/NoNewPrivs:\s+1/);
    const { securityOptions } = await rig.engine.system.info();
    const filtered = securityOptions.some((option) => option.startsWith('name=seccomp'));
    expect(status).toMatch(filtered ? /Seccomp:\s+2/ : /Seccomp:/);
  });

  it('is the user that the manifest names', async () => {
    expect(await inside('id', '-u')).toBe('1234');
    expect(await inside('id', '-g')).toBe('1300');
  });

  it('cannot write to the image, and can write to memory, up to its size, and run nothing from there', async () => {
    for (const path of ['/x', '/etc/passwd', '/srv/www/index.html', '/var/x'])
      expect((await shell(`echo no > ${path}`)).out).toMatch(/Read-only|Permission denied/);
    for (const folder of ['/tmp', '/run', '/scratch']) {
      expect((await shell(`echo yes > ${folder}/x && cat ${folder}/x`)).out).toBe('yes');
      const full = await shell(
        `dd if=/dev/zero of=${folder}/full bs=1M count=9; code=$?; rm ${folder}/full; exit $code`,
      );
      expect(full.out).toContain('No space left on device');
      expect((await shell(`cp /bin/busybox ${folder}/echo && ${folder}/echo ran`)).out).toContain(
        'Permission denied',
      );
      const mount = (await inside('cat', '/proc/mounts'))
        .split('\n')
        .find((line) => line.includes(` ${folder} `));
      for (const option of ['rw', 'nosuid', 'nodev', 'noexec', `size=${8 * 1024}k`])
        expect(mount).toContain(option);
    }
  });

  it('sees its own processes only, and may not have more than so many', async () => {
    const { out } = await shell('ls -d /proc/[0-9]* | wc -l');
    expect(Number(out)).toBeLessThan(12);
    const bomb = await shell('for n in $(seq 40); do sleep 2 & done; wait');
    expect(bomb.out).toMatch(/can't fork|Resource temporarily unavailable/);
  });

  it('has the memory, the CPU, the processes and the open files of its profile', async () => {
    expect(await limits()).toEqual({ memory: 64 * mib, swap: 0, cores: 0.5, processes: 20 });
    expect((await shell('ulimit -n')).out).toBe('128');
  });

  it('has no device of the host and no socket of the engine', async () => {
    expect((await shell('ls /dev')).out.split('\n')).not.toEqual(expect.arrayContaining(['sda']));
    expect((await shell('ls /dev | grep -cE "^(sd|vd|nvme|loop|mem|kmsg)"')).out).toBe('0');
    expect((await shell('ls /var/run/docker.sock /run/docker.sock')).out).toMatch(/No such file/);
    expect((await shell('mknod /tmp/sda b 8 0')).out).toMatch(/not permitted/);
    expect((await shell('mount -t tmpfs none /tmp')).out).toMatch(/denied|not permitted/);
  });

  it('is reached on the port that the answers name', async () => {
    const info = (await rig.ask(200, 'GET', `/info/${uuid}`)) as {
      host: string;
      instances: { ports: Record<string, { host_port: string }>; container_id: string; status: string }[];
    };
    expect(info.host).toBe(rig.host.addresses.v4);
    expect(info.instances).toMatchObject([{ container_id: container.id.slice(0, 12), status: 'running' }]);
    const port = Number(info.instances[0]?.ports['8080/tcp']?.host_port);
    expect(await rig.fetch(port, '/', info.host)).toBe('one\n');
  });
});

describe('a container without a read-only root', () => {
  it('has no scratch space in memory, and all the rest', async () => {
    await using writable = await Rig.open({ config: { container_readonly_rootfs: false } });
    const lease = await writable.running({ web: service({ tmpfs: ['/scratch'] }) });
    const { id, hostConfig } = await writable.container(lease);
    expect(hostConfig).toMatchObject({ ReadonlyRootfs: false, CapDrop: ['ALL'], PidsLimit: 256 });
    expect(hostConfig.Tmpfs ?? {}).toEqual({});
    expect((await writable.inside(id, 'sh', '-c', 'echo yes > /x && cat /x')).out).toBe('yes');
  });
});
