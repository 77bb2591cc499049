/** The guide of docker-backend, followed command by command on a real host, with the image that its Dockerfile makes. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildImage, debian, echo, ensureImage, type Host, registryAddress, startRegistry } from '@berth/lab';
import { lab, waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf, type GuideCommand } from '../src/guide.ts';

const root = join(import.meta.dirname, '..', '..');
const example = join(root, 'deploy', 'examples', 'docker-backend');
const uuid = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';

let host: Host;
let commands: readonly GuideCommand[];
beforeAll(async () => {
  host = (await lab()).host();
  commands = await commandsOf('docker-backend.md');
  const registry = await startRegistry(host);
  // The lab's echo service stands for the tenant's image.
  await registry.push(await ensureImage(host, echo(), () => undefined), 'library/nginx', '1.27');
  await host.must(['mkdir', '--parents', '/etc/docker-backend']);
  const etc = host.path('/etc/docker-backend');
  await cp(example, etc, { recursive: true });
  await edit(join(etc, 'docker-backend.yaml'), (text) =>
    text
      .replace('203.0.113.10', host.addresses.v4)
      .replace('[docker.io, ghcr.io]', `["${registryAddress}"]`)
      .replace('name: docker-1', 'name: guide'),
  );
  await edit(join(etc, 'lease.json'), (text) => {
    const lease = JSON.parse(text);
    const manifest = Buffer.from(lease.payload, 'base64').toString('utf8');
    const here = manifest.replace('docker.io', registryAddress);
    return JSON.stringify({ ...lease, payload: Buffer.from(here).toString('base64') });
  });
});
afterAll(async () => {
  await host.exec(['docker', 'rm', '--force', '--volumes', 'docker-backend']);
  const ours = 'label=fred.backend_name=guide';
  const left = (await host.docker('ps', '--all', '--quiet', '--filter', ours)).split('\n').filter(Boolean);
  if (left.length > 0) await host.docker('rm', '--force', '--volumes', ...left);
  await host.exec(['docker', 'volume', 'rm', 'docker-backend']);
  await host.exec(['docker', 'network', 'prune', '--force', '--filter', ours]);
  await rm(host.path('/etc/docker-backend'), { recursive: true, force: true });
});

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`nothing to change in ${file}`);
  await writeFile(file, changed);
}

/** The one command of the page that has these words; it is run as it stands there. */
function follow(words: string): Promise<string> {
  const found = commands.filter(({ text }) => text.includes(words));
  const [command] = found;
  if (command === undefined || found.length !== 1)
    throw new Error(`${found.length} commands have "${words}"`);
  return host.must(command.argv, { timeoutMs: 120_000 });
}

describe('the guide of docker-backend', () => {
  it('has a build, and its image looks at a configuration', async () => {
    const build = commands.find(({ argv }) => argv[1] === 'build');
    // Only the way to the archives differs from a user's.
    expect(build?.argv).toEqual([
      ...['docker', 'build', '--target', 'docker-backend', '--tag', 'docker-backend:dev', '.'],
    ]);
    await ensureImage(host, debian(), () => undefined);
    await buildImage(host, root, { tag: 'docker-backend:dev', target: 'docker-backend' });
    expect(await follow('config check')).toBe('/etc/docker-backend/docker-backend.yaml is good\n');
    const printed = await follow('config print');
    expect(printed).toContain('callback_secret: [REDACTED]');
    expect(printed).not.toContain('change-me');
    const tools = ['/usr/bin/btrfs', '--version'] as const;
    expect(
      await host.docker('run', '--rm', '--entrypoint', tools[0], 'docker-backend:dev', tools[1]),
    ).toContain('btrfs');
  }, 900_000);

  it('brings it up, gives it a lease by hand, and takes it down with the lease running on', async () => {
    await follow('docker run --detach');
    await waitFor(
      'the backend',
      async () => (await follow('docker logs')).includes('docker-backend is ready'),
      {
        timeoutMs: 60_000,
        everyMs: 200,
      },
    );
    expect(JSON.parse(await follow('/health'))).toEqual({ status: 'healthy' });
    expect(JSON.parse(await follow('/stats'))).toMatchObject({ total_cpu_cores: 14, active_containers: 0 });
    expect(JSON.parse(await follow('/provision -data'))).toEqual({ provision_id: uuid });
    await waitFor('the lease', async () => JSON.parse(await follow('/provisions/')).status === 'ready', {
      timeoutMs: 60_000,
      everyMs: 500,
    });
    const { host: address, instances } = JSON.parse(await follow('/info/'));
    await using client = (await lab()).client('client1');
    const port = Number(instances[0].ports['80/tcp'].host_port);
    const service = { host: address, port, timeoutMs: 2_000 };
    const greeting = await waitFor('a greeting', () => client.greetTcp(service).catch(() => undefined), {
      timeoutMs: 60_000,
    });
    expect(greeting).toMatchObject({ port: 80 });
    expect(JSON.parse(await follow('/logs/'))['web/0']).toContain('"transport":"tcp"');
    expect(JSON.parse(await follow('/deprovision'))).toEqual({ status: 'ok' });
    await follow('docker stop');
    expect(await host.docker('inspect', '--format', '{{.State.ExitCode}}', 'docker-backend')).toBe('0\n');
    await follow('docker rm');
  });
});
