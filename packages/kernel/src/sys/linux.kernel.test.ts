import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseIp } from '../ip/index.ts';
import { Netns } from '../netns/index.ts';
import { freshNamespace, until } from '../testing/namespaces.ts';
import { UdpSocket } from '../testing/udp-socket.ts';
import { linux, O_CLOEXEC } from './index.ts';

const from = (path: string): string => new URL(path, import.meta.url).href;

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

/** Runs a piece of program in a process of its own, where it may break what it likes. */
function inOwnProcess(source: string) {
  folder = mkdtempSync(join(tmpdir(), 'berth-own-process-'));
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
  });
}

describe('the adapter', () => {
  it('answers minus the errno', () => {
    expect(linux.open('/nowhere', O_CLOEXEC)).toBe(-constants.errno.ENOENT);
    expect(linux.close(-1)).toBe(-constants.errno.EBADF);
    expect(linux.socket(1234, 1, 0)).toBe(-constants.errno.EAFNOSUPPORT);
    expect(linux.pidfdOpen(2 ** 22 + 1)).toBe(-constants.errno.ESRCH);
  });

  it('ends a process although a thread of its pool hangs in the kernel', () => {
    const { status } = inOwnProcess(`
      import { linux } from '${from('./index.ts')}';
      const [AF_INET, SOCK_DGRAM] = [2, 2];
      void linux.recvInBackground(linux.socket(AF_INET, SOCK_DGRAM, 0), new Uint8Array(1), 0);
      process.once('exit', (code) => linux.exit(code));
      setTimeout(() => process.exit(7), 100);
    `);
    expect(status).toBe(7);
  });

  it('answers minus the errno from the background, too', async () => {
    expect(await linux.recvInBackground(-1, new Uint8Array(1), 0)).toBe(-constants.errno.EBADF);
    expect(await linux.sendInBackground(-1, new Uint8Array(1), 0)).toBe(-constants.errno.EBADF);
    const many = Array.from({ length: 50 }, () => linux.recvInBackground(-1, new Uint8Array(1), 0));
    expect(new Set(await Promise.all(many))).toEqual(new Set([-constants.errno.EBADF]));
  });

  it('reads and writes from the middle of a larger buffer', async () => {
    using namespace = freshNamespace('buffers');
    const address = parseIp('127.0.0.1');
    const received: string[] = [];
    using receiver = new UdpSocket(namespace, { address, port: 4001 }, (text) => received.push(text));
    using sender = new UdpSocket(namespace, { address, port: 4002 }, () => undefined);
    sender.send(Buffer.from('xxhelloxx').subarray(2, 7).toString(), { address, port: 4001 });
    await until('the packet', () => received.length > 0);
    expect(received).toEqual(['hello']);
    expect(receiver).toBeDefined();
  });
});

describe('onReadable', () => {
  it('survives a drain that throws: the program hears of it, and the events go on', () => {
    const { stdout, status, stderr } = inOwnProcess(`
      import { NetlinkListener, NetlinkSocket } from ${JSON.stringify(from('../netlink/index.ts'))};
      import { linux } from ${JSON.stringify(from('./index.ts'))};
      const sys = { ...linux, onReadable: (fd, drain) => linux.onReadable(fd, () => { drain(); throw new Error('boom'); }) };
      let heard = 0;
      let thrown = 0;
      process.on('uncaughtException', () => { thrown += 1; });
      const { Netns } = await import(${JSON.stringify(from('../netns/index.ts'))});
      const { Network } = await import(${JSON.stringify(from('../network/index.ts'))});
      const namespace = Netns.create();
      const network = Network.open(namespace);
      const listener = NetlinkListener.open({ protocol: 0, groups: [1], namespace, sys },
        { event() { heard += 1; }, overrun() {}, failed(error) { throw error; } });
      for (let round = 1; round <= 3; round += 1) {
        network.links.create({ kind: 'bridge', name: 'b' + round });
        const deadline = performance.now() + 60_000;
        while (thrown < round && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      listener[Symbol.dispose]();
      console.log(heard >= 3, thrown);
    `);
    expect({ stdout: stdout.trim(), status, stderr }).toEqual({ stdout: 'true 3', status: 0, stderr: '' });
  });

  it('lets the program end once nothing is watched any more', () => {
    const { status, stdout } = inOwnProcess(`
      import { NetworkWatch } from ${JSON.stringify(from('../network/index.ts'))};
      const watch = NetworkWatch.open({ watched: ['links'] }, () => undefined, () => undefined);
      setTimeout(() => watch[Symbol.dispose](), 20);
      process.on('exit', () => console.log('ended'));
    `);
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: 'ended' });
  });
});

describe('a thread that cannot come home', () => {
  it('ends the process at once, and says why', () => {
    const { signal, stderr, stdout } = inOwnProcess(`
      import { Netns } from ${JSON.stringify(from('../netns/index.ts'))};
      const namespace = Netns.create();
      try {
        // Whoever gives up its privileges inside may not come back.
        namespace.run(() => process.seteuid(65534));
      } catch {}
      console.log('still alive');
    `);
    expect(signal).toBe('SIGABRT');
    expect(stderr).toContain('cannot return to the home network namespace: setns failed: EPERM');
    expect(stdout).toBe('');
    expect(Netns.own.run(() => 1)).toBe(1);
  });
});
