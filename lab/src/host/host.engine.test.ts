import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSpace, waitFor } from '../testing/index.ts';
import { cgroupMounts } from '../tools/proc.ts';
import { must } from '../tools/run.ts';

/** Without what only counts down: leased addresses and advertised routes have so many seconds left. */
const timeless = ([name, said]: [string, string]): [string, string] => [
  name,
  said.replaceAll(/\b(valid_lft|preferred_lft|expires) \d+sec/g, ''),
];

/** What a Docker engine would change on the machine if it worked there. */
async function machineNetwork(): Promise<Record<string, string>> {
  const own = (name: string, argv: readonly [string, ...string[]]): Promise<[string, string]> =>
    must(argv).then((said) => [name, said]);
  return Object.fromEntries([
    ...(await Promise.all([
      own('links', ['ip', '-oneline', 'link', 'show']),
      own('addresses v4', ['ip', '-4', 'address', 'show']).then(timeless),
      own('routes v4', ['ip', '-4', 'route', 'show', 'table', 'all']),
      own('routes v6', ['ip', '-6', 'route', 'show', 'table', 'main']).then(timeless),
      own('tables', ['nft', 'list', 'tables']),
    ])),
    ['forwarding', await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')],
  ]);
}

describe('a host of the lab', () => {
  it('has its engine at /var/run/docker.sock, as any host', async () => {
    await using space = await openSpace();
    const { host } = space;
    expect(await host.docker('info', '--format', '{{.Name}}')).toBe('host1\n');
    expect(await host.must(['hostname'])).toBe('host1\n');
    expect((await host.exec(['test', '-S', '/var/run/docker.sock'])).code).toBe(0);
  });

  it('leaves the machine’s links, routes and tables alone while it publishes a port', async () => {
    await using space = await openSpace();
    const before = await machineNetwork();
    await space.start('web', '--publish', '8080:80', 'berth-lab/busybox', 'httpd', '-f', '-p', '80');
    const tables = await space.host.must(['iptables-save', '-t', 'nat']);
    expect(tables).toContain('--dport 8080');
    expect(await machineNetwork()).toEqual(before);
  });

  it('ends a container that takes more memory than it may', async () => {
    await using space = await openSpace();
    const eater = 'x=a; while :; do x=$x$x; done';
    const { code } = await space.host.exec([
      ...(['docker', 'run', '--rm', ...space.labelled, '--memory', '32m'] as const),
      ...['berth-lab/busybox', 'sh', '-c', eater],
    ]);
    expect(code).toBe(137);
  });

  it('stops a container from starting more processes than it may', async () => {
    await using space = await openSpace();
    const { code, stderr } = await space.host.exec([
      ...(['docker', 'run', '--rm', ...space.labelled, '--pids-limit', '24'] as const),
      ...['berth-lab/busybox', 'sh', '-c', 'for i in $(seq 40); do sleep 60 & done; wait'],
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/can't fork|Resource temporarily unavailable/);
  });

  it('holds a container to its share of the processor', async () => {
    await using space = await openSpace();
    const busy = ['berth-lab/busybox', 'sh', '-c', 'while :; do :; done'];
    const id = await space.start('busy', '--cpus', '0.1', ...busy);
    const throttled = (): boolean =>
      cgroupMounts()
        .map((mount) => join(mount, space.host.cgroup, id, 'cpu.stat'))
        .filter((file) => existsSync(file))
        .some((file) => /nr_throttled [1-9]/.test(readFileSync(file, 'utf8')));
    expect(await waitFor('the kernel holds the container back', throttled, { timeoutMs: 60_000 })).toBe(true);
  });

  it('keeps its containers’ control groups under the lab’s name', async () => {
    await using space = await openSpace();
    const id = await space.start('idle', 'berth-lab/busybox');
    const pid = Number(await space.host.docker('inspect', '--format', '{{.State.Pid}}', id));
    const groups = await readFile(space.host.path(`/proc/${pid}/cgroup`), 'utf8');
    expect(groups).toContain(`/${space.host.cgroup}/${id}`);
  });

  it('shows its files to us and ours to its containers', async () => {
    await using space = await openSpace();
    const file = join(space.host.stateFolder, 'seen-by-both');
    await writeFile(file, 'the same');
    const said = await space.host.docker(
      ...[
        'run',
        '--rm',
        ...space.labelled,
        '--volume',
        `${file}:/seen:ro`,
        'berth-lab/busybox',
        'cat',
        '/seen',
      ],
    );
    expect(said).toBe('the same');
    expect(await readFile(space.host.path('/etc/hostname'), 'utf8')).toBe('host1\n');
  });

  it('hands the socket of its engine to containers that ask for it', async () => {
    await using space = await openSpace();
    const said = await space.host.docker(
      ...['run', '--rm', ...space.labelled, '--volume', '/var/run/docker.sock:/var/run/docker.sock'],
      ...['berth-lab/busybox', 'stat', '-c', '%F', '/var/run/docker.sock'],
    );
    expect(said).toBe('socket\n');
  });

  it('removes what a test made when the test ends', async () => {
    const space = await openSpace();
    await space.start('idle', 'berth-lab/busybox');
    await space.lanNetwork();
    await space[Symbol.asyncDispose]();
    const { host } = space;
    expect(await host.docker('ps', '--all', '--quiet', '--filter', `name=${space.id}`)).toBe('');
    expect(await host.docker('network', 'ls', '--quiet', '--filter', `name=${space.id}`)).toBe('');
    expect((await readdir(host.stateFolder)).includes('docker')).toBe(true);
  });
});
