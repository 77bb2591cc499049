/** The guide to disks, followed command by command on a host with a disk in a file, and a lease with data at the end of it. */
import { readdirSync, statSync } from 'node:fs';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@berth/lab';
import { accepted, Provider } from '@berth/lab/provider';
import { lab } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf } from '../src/guide.ts';
import { volumeImages } from '../src/volume-images.ts';
import { item, manifest, volumeOf } from '../src/warehouse.ts';

const page = 'docker-backend-storage.md';
let host: Host;
let folder: string;
const mounts: string[] = [];

beforeAll(async () => {
  host = (await lab()).host();
  folder = join(host.stateFolder, `guide-${process.pid}`);
  await host.must(['mkdir', '-p', folder]);
  for (const name of ['sdb', 'sdc']) {
    await writeFile(join(folder, name), '');
    await truncate(join(folder, name), 512 * 2 ** 20);
  }
});
afterAll(async () => {
  for (const path of mounts) await host.must(['umount', '--lazy', path]);
  await rm(folder, { recursive: true, force: true });
});

/** Where the guide has a disk, there is a file; and its folders are ours. */
const ours = (word: string): string =>
  word.replace(/^\/dev\/(sd[bc])$/, join(folder, '$1')).replace(/^\/srv\b/, join(folder, 'srv'));

/** Runs the commands of the page that match, in order; what each wrote. `volume` is the one that it speaks of. */
async function follow(pattern: RegExp, volume = ''): Promise<readonly string[]> {
  const outputs: string[] = [];
  for (const { text, argv } of await commandsOf(page)) {
    if (!pattern.test(text)) continue;
    const [program, ...args] = argv;
    const onLoop = program === 'mount' ? ['-o', 'loop'] : [];
    const words = args.map((word) => ours(word.replace('VOLUME', volume)));
    outputs.push(await host.must([program, ...onLoop, ...words]));
    if (program === 'mount') mounts.unshift(ours(args.at(-1) ?? ''));
  }
  if (outputs.length === 0) throw new Error(`no command of ${page} matches ${pattern}`);
  return outputs;
}

describe('the guide to disks for docker-backend', () => {
  it('leads to a btrfs on which a lease has data, and shows what is there', async () => {
    const groups = (await follow(/sdb|\/srv\/volumes$/)).at(-1);
    expect(groups).toMatch(/0\/5/);
    const disk = {
      path: ours('/srv/volumes'),
      pathFromOutside: host.path(ours('/srv/volumes')),
      [Symbol.asyncDispose]: async () => undefined,
    };
    await using provider = await Provider.open(host, {
      disk,
      config: {
        volume_filesystem: 'btrfs',
        total_disk_mb: 400,
        sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 64, disk_mb: 32 } },
      },
    });
    await volumeImages.ensure(host);
    const lease = await provider.provisioned(provider.lease([item({ sku: 'small' })]), manifest);
    expect(readdirSync(disk.pathFromOutside)).toContain('.berth-root.db');
    const [subvolumes, raw] = await follow(/^btrfs (subvolume list|qgroup show -r)/);
    expect(subvolumes).toContain(`path ${volumeOf(lease)}`);
    expect(raw).toContain(String(32 * 2 ** 20));
    const volume = volumeOf(lease);
    const shell = (line: string): Promise<string> => host.docker('exec', volume, 'sh', '-c', line);
    await shell('echo precious > /data/file && chmod 640 /data/file && sync');
    await follow(/^tar --create/);
    expect(statSync(ours('/srv/backup.tar')).size).toBeGreaterThan(0);

    await provider.program.stop();
    await host.must(['btrfs', 'subvolume', 'delete', join(disk.path, volume)]);
    for (const name of readdirSync(disk.pathFromOutside))
      await rm(join(disk.pathFromOutside, name), { recursive: true });
    await expect(provider.run()).rejects.toThrow(/is it mounted\?.*docker-backend recover -new-root/s);
    await follow(/VOLUME/, volume);
    await provider.run();
    accepted(await provider.client.restart(lease.lease_uuid));
    expect((await provider.desk.next(lease.lease_uuid)).status).toBe('success');
    expect(await shell('cat /data/file && stat -c %a /data/file')).toBe('precious\n640\n');
    expect((await follow(/^btrfs qgroup show -r/))[0], 'with its quota').toContain(String(32 * 2 ** 20));
    await provider.client.deprovision(lease.lease_uuid);
    await provider.desk.next(lease.lease_uuid);

    await provider.program.stop();
    for (const name of readdirSync(disk.pathFromOutside))
      await rm(join(disk.pathFromOutside, name), { recursive: true });
    await expect(provider.run()).rejects.toThrow(/is it mounted\?/);
    const [command] = (await commandsOf(page)).filter(({ argv }) => argv[0] === 'docker-backend');
    const { stdout, stderr } = await provider.command(...(command?.argv.slice(1, -2) ?? []));
    expect(stdout, stderr).toContain('is the volume root from now on');
    await provider.run();
    await provider.client.deprovision(
      (await provider.provisioned(provider.lease([item({ sku: 'small' })]), manifest)).lease_uuid,
    );
  }, 240_000);
});
