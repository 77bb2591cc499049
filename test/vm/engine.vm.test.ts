/** Docker engine 26 where control groups are of version 2 and nothing else: limits that are enforced, read by our client. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connectEngine, type Engine } from '@berth/engine';
import { waitFor } from '@berth/lab';
import { Scope } from '@berth/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const must = (command: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
};

const running: Partial<{ scope: Scope; engine: Engine }> = {};
const daemons: ChildProcess[] = [];
const engine = (): Engine => {
  if (running.engine === undefined) throw new Error('the engine does not run');
  return running.engine;
};

const log = '/tmp/engine.log';
const daemon = (command: string, ...args: readonly string[]): void => {
  const into = openSync(log, 'a');
  daemons.push(spawn(command, args, { stdio: ['ignore', into, into] }));
  closeSync(into);
};
const evidence = () => readFileSync(log, 'utf8').slice(-3_000);

beforeAll(async () => {
  // The engine would start it, too, but gives it no more than 15 seconds: not enough for an emulated machine.
  daemon('containerd');
  const socket = '/run/containerd/containerd.sock';
  await waitFor('containerd', () => existsSync(socket), { timeoutMs: 200_000, everyMs: 250, evidence });
  daemon('dockerd', '--containerd', socket);
  running.scope = new Scope('engine', (error) => {
    throw error;
  });
  running.engine = connectEngine(running.scope);
  const answers = () =>
    engine()
      .system.ping()
      .then(() => true)
      .catch(() => false);
  await waitFor('the engine', answers, { timeoutMs: 200_000, everyMs: 250, evidence });
  must('mkdir', '-p', '/tmp/image/bin');
  must('cp', '/usr/bin/busybox', '/tmp/image/bin/');
  must('tar', '-C', '/tmp/image', '-cf', '/tmp/image.tar', '.');
  must('docker', 'import', '/tmp/image.tar', 'busybox');
}, 420_000);

afterAll(async () => {
  await running.scope?.close();
  for (const each of daemons.toReversed()) each.kill('SIGKILL');
});

describe('engine 26 with control groups of version 2', () => {
  it('is spoken to in its own version', async () => {
    expect((await engine().system.version()).version).toMatch(/^26\./);
    expect((await engine().system.info()).cgroupVersion).toBe('2');
  });

  it('limits memory and processes where the kernel says so', async () => {
    await engine().containers.create(
      {
        Image: 'busybox',
        Cmd: ['/bin/busybox', 'sleep', '1000'],
        HostConfig: { NetworkMode: 'none', Memory: 64 * 2 ** 20, PidsLimit: 20, NanoCpus: 500_000_000 },
      },
      { name: 'limited' },
    );
    await engine().containers.start('limited');
    const read = async (file: string) =>
      (
        await engine().containers.exec('limited', ['/bin/busybox', 'cat', `/sys/fs/cgroup/${file}`])
      ).stdout.trim();
    expect(await read('memory.max')).toBe(String(64 * 2 ** 20));
    expect(await read('pids.max')).toBe('20');
    expect(await read('cpu.max')).toBe('50000 100000');
    await engine().containers.remove('limited', { force: true });
  });

  it('makes the VLAN link of a macvlan network by itself', async () => {
    must('ip', 'link', 'set', 'eth0', 'up');
    must(
      'docker',
      'network',
      'create',
      '-d',
      'macvlan',
      '--subnet',
      '10.43.0.0/24',
      '-o',
      'parent=eth0.43',
      'vlan43',
    );
    expect(must('ip', '-d', 'link', 'show', 'eth0.43')).toContain('vlan protocol 802.1Q id 43');
    must('docker', 'network', 'rm', 'vlan43');
  });
});
