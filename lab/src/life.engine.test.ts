import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { placesOnMachine } from './down.ts';
import { makeFileSystem } from './host/file-system.ts';
import { userland } from './host/userland.ts';
import { startRegistry } from './images/registry.ts';
import type { Lab } from './lab.ts';
import { cgroupOf, type LabName, labName, runFolder, stateFolder } from './names.ts';
import { findInit } from './network/init.ts';
import { namespacePathOf } from './network/namespace.ts';
import { defaultSpec, type LabSpec } from './spec.ts';
import { statusOf } from './status.ts';
import { waitFor } from './testing/index.ts';
import {
  cgroupMounts,
  isAlive,
  namespaceId,
  type ProcessRecord,
  processesIn,
  recordOf,
} from './tools/proc.ts';
import { must } from './tools/run.ts';
import { bringUp, removeOrphans, takeDown } from './up.ts';

const quiet = (): undefined => undefined;
const names: LabName[] = [];

function newName(): LabName {
  const name = labName(`life-${randomBytes(3).toString('hex')}`);
  names.push(name);
  return name;
}

/** Owned, so that not even a killed test run leaves one. */
const up = (name: LabName, spec: LabSpec = defaultSpec): Promise<Lab> =>
  bringUp(name, spec, { say: quiet, owned: true });

/** Everything on the machine that carries the lab's name. */
async function traces(name: LabName): Promise<string[]> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const loops = await must(['losetup', '--list', '--noheadings', '--output', 'BACK-FILE']);
  const groups = cgroupMounts().map((mount) => join(mount, cgroupOf(name)));
  return [
    ...placesOnMachine(name),
    ...`${mounts}${loops}`.split('\n').filter((line) => line.includes(name)),
    ...[runFolder(name), stateFolder(name), ...groups].filter((path) => existsSync(path)),
  ];
}

/** Every process that runs in one of the lab's namespaces now. */
function residents(name: LabName): ProcessRecord[] {
  return placesOnMachine(name).flatMap((place) => {
    const id = namespaceId(namespacePathOf(place));
    const pids = id === undefined ? [] : processesIn(id);
    return pids.flatMap((pid) => recordOf(pid) ?? []);
  });
}

const gone = (processes: readonly ProcessRecord[]): Promise<boolean> =>
  waitFor('the processes of the lab are gone', () => !processes.some(isAlive), { timeoutMs: 60_000 });

/** Starts a run that brings the lab up, and waits until it has said this much. */
async function startOwner(name: LabName, until: RegExp): Promise<ChildProcess> {
  const owner = spawn(process.execPath, [join(import.meta.dirname, 'testing/owner.ts'), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  owner.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await waitFor(`a run that says ${until}`, () => until.test(said), { timeoutMs: 60_000, everyMs: 1 });
  return owner;
}

async function killHard(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('the life of a lab', () => {
  // Takes a minute on a machine where it was never made.
  beforeAll(() => userland('26', quiet));

  afterEach(async () => {
    for (const name of names.splice(0)) await takeDown(name, quiet);
  });

  it('leaves nothing when it is taken down, and can be taken down twice', async () => {
    const name = newName();
    const lab = await up(name);
    const host = lab.host();
    await host.docker(
      'run',
      '--detach',
      '--publish',
      '8080:80',
      '--volume',
      'kept:/kept',
      'berth-lab/busybox',
    );
    await startRegistry(host);
    await makeFileSystem(host, { name: 'disk', type: 'btrfs', sizeMb: 128 });
    const processes = residents(name);
    expect(processes.length).toBeGreaterThan(5);
    expect(await takeDown(name, quiet)).toBe(true);
    expect(await traces(name)).toEqual([]);
    await gone(processes);
    expect(await takeDown(name, quiet)).toBe(false);
  });

  it('goes on with what it had when its engine was killed', async () => {
    const name = newName();
    const host = (await up(name)).host();
    await host.docker('volume', 'create', 'kept');
    const before = await host.docker('info', '--format', '{{.ID}}');
    const pid = readFileSync(join(host.runFolder, 'docker.pid'), 'utf8').trim();
    await host.must(['kill', '-9', pid]);
    const isGone = async () => (await host.exec(['kill', '-0', pid])).code !== 0;
    await waitFor('the engine is dead', isGone, { timeoutMs: 60_000 });
    await expect(host.docker('ps')).rejects.toThrow('Cannot connect');
    await up(name);
    expect(await host.docker('info', '--format', '{{.ID}}')).toBe(before);
    expect(await host.docker('volume', 'ls', '--quiet')).toBe('kept\n');
  });

  it('gets a host back that was killed', async () => {
    const name = newName();
    const host = (await up(name)).host();
    process.kill(host.init, 'SIGKILL');
    await waitFor('the host is dead', () => host.findInit() === undefined, { timeoutMs: 60_000 });
    const again = (await up(name)).host();
    expect(await again.docker('run', '--rm', 'berth-lab/busybox', 'echo', 'alive')).toBe('alive\n');
  });

  it('makes a host anew that was never finished, and the LAN’s first process, too', async () => {
    const name = newName();
    const lab = await up(name);
    const { init } = lab.host();
    await rm(join(lab.host().runFolder, '.arranged'));
    process.kill(findInit(lab.lan.namespace)!, 'SIGKILL');
    await waitFor('the LAN is dead', () => findInit(lab.lan.namespace) === undefined, { timeoutMs: 60_000 });
    const again = await up(name);
    expect(again.host().init).not.toBe(init);
    expect(findInit(again.lan.namespace)).toBeDefined();
    expect((await statusOf(name)).dhcpServerRunning).toBe(true);
  });

  it('is the same lab when it is brought up twice, and refuses to be another one', async () => {
    const name = newName();
    const host = (await up(name)).host();
    const { init } = host;
    await up(name);
    expect(host.findInit()).toBe(init);
    await expect(up(name, { ...defaultSpec, clients: 1 })).rejects.toMatchObject({ code: 'DIFFERENT' });
  });

  it('runs beside another one with the same addresses', async () => {
    const [first, second] = [await up(newName()), await up(newName())];
    const ids = [];
    for (const lab of [first, second]) ids.push(await lab.host().docker('info', '--format', '{{.ID}}'));
    expect(ids[0]).not.toBe(ids[1]);
    expect(first.host().addresses).toEqual(second.host().addresses);
    await takeDown(first.name, quiet);
    expect(await second.host().docker('info', '--format', '{{.ID}}')).toBe(ids[1]);
  });

  it('runs engines of both ends of the supported range side by side', async () => {
    const lab = await up(newName(), {
      ...defaultSpec,
      hosts: [
        { name: 'host1', engine: '20.10' },
        { name: 'host2', engine: '26' },
      ],
    });
    const versions = [];
    for (const host of lab.hosts) {
      versions.push((await host.docker('version', '--format', '{{.Server.Version}}')).trim());
      const said = await host.docker('run', '--rm', '--memory', '64m', 'berth-lab/busybox', 'hostname', '-i');
      expect(said).toMatch(/^172\./);
    }
    expect(versions).toEqual([expect.stringMatching(/^20\.10\./), expect.stringMatching(/^26\./)]);
    await lab.host('host1').must(['ping', '-c', '1', '-W', '2', lab.host('host2').addresses.v4]);
  });

  it('dies with the run that owns it, and the next run removes what is left', async () => {
    const name = newName();
    const owner = await startOwner(name, /^up$/m);
    const processes = residents(name);
    await expect(up(name)).rejects.toMatchObject({ code: 'IN_USE' });
    await killHard(owner);
    await gone(processes);
    await removeOrphans(quiet);
    expect(await traces(name)).toEqual([]);
  });

  it.each([
    ['while it makes the LAN', /making the LAN/],
    ['while it starts the engine', /starting Docker engine/],
  ])('can be brought up again after a run that was killed %s', async (_, moment) => {
    const name = newName();
    await killHard(await startOwner(name, moment));
    const host = (await up(name)).host();
    expect(await host.docker('run', '--rm', 'berth-lab/busybox', 'echo', 'alive')).toBe('alive\n');
    await takeDown(name, quiet);
    expect(await traces(name)).toEqual([]);
  });
});
