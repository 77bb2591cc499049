/** Wall clocks: the engine's, told by the date of its real answers, and one of the anchor's that is wrong, or jumps while it runs. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveDhcp, shiftedClock } from '@berth/lab';
import { FaultProxy } from '@berth/lab/fault-proxy';
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose } from '../src/doctor.ts';
import { greeted, leasedV4 } from '../src/external.ts';
import { Harbour } from '../src/harbour.ts';

const pool = [100, 109] as const;
const renewed = 'dhcp v4 lease renewed';
/** The anchor compares its clocks once a minute. */
const noticedMs = 90_000;

let harbour: Harbour;
let stack: ComposeProject;
let proxy: FaultProxy;
let folder: string;
let offsetFile: string;

beforeAll(async () => {
  harbour = await Harbour.open();
  folder = await mkdtemp(join(tmpdir(), 'berth-clock-'));
  offsetFile = join(folder, 'offset');
  await shift(0);
  const clock = await shiftedClock(offsetFile, (line) => void process.stdout.write(`  ${line}\n`));
  const sockets = harbour.space.name('engine');
  await mkdir(join(harbour.host.runFolder, sockets), { recursive: true });
  const socketPath = join(harbour.host.runFolder, sockets, 'engine.sock');
  proxy = await FaultProxy.start({ socketPath: harbour.host.socketPath }, { socketPath });
  await serveDhcp(harbour.space.lab.lan, { v4: true, v6: 'none', leaseSeconds: 3_600, pool });
  stack = await harbour.stack({
    ...{ host: 64, number: 25 },
    env: {
      ANCHORD_ADDRESS_MODE: 'dhcp-refresh',
      ANCHORD_DHCP_HOSTNAME: 'jumper',
      ANCHORD_DHCP_FAMILIES: 'v4',
      ANCHORD_LOG_LEVEL: 'debug',
      ...clock.environment,
    },
    anchor: {
      volumes: ['/var/run/docker.sock:/var/run/docker.sock', `/run/${sockets}:/run/proxy`, ...clock.volumes],
    },
  });
  await stack.up();
  await leasedV4(stack, pool);
});
afterAll(async () => {
  await harbour?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => shift(0));

/** The wall clock of whatever runs in the anchor's container, from now on. */
const shift = (seconds: number) => writeFile(offsetFile, `${seconds < 0 ? '' : '+'}${seconds}\n`);

describe('the doctor on clocks', () => {
  const sockets = { 'the engine': '/var/run/docker.sock', 'a proxy': '/run/proxy/engine.sock' } as const;

  const clockBy = async (socket: string) => {
    const command = ['docker', 'exec', '--env', `DOCKER_HOST=unix://${socket}`];
    const argv = [...command, await stack.containerOf('anchord'), 'anchord'];
    return await diagnose(harbour.host, argv, '--only', 'clock');
  };

  it.each(Object.entries(sockets))('finds them to agree by the date that %s sends', async (_, socket) => {
    const { codes, exitCode } = await clockBy(socket);
    expect(codes('fine')).toEqual(['clock']);
    expect(exitCode).toBe(0);
  });

  it.each(Object.entries(sockets))('finds ours wrong by the date that %s sends', async (_, socket) => {
    for (const [seconds, where] of [
      [600, 'behind'],
      [-600, 'ahead of'],
    ] as const) {
      await shift(seconds);
      const { of, exitCode } = await clockBy(socket);
      const [finding] = of('clock');
      const off = Number(/^the engine is (\d+) s/.exec(finding?.detail ?? '')?.[1]);
      expect(finding?.detail).toContain(`s ${where} us`);
      expect(Math.abs(off - 600)).toBeLessThanOrEqual(5);
      expect(exitCode).toBe(1);
    }
  });
});

describe('a wall clock that jumps under a running anchor', () => {
  const linesOf = async (msg: string) => (await stack.logs('anchord')).filter((line) => line.msg === msg);

  it.each([
    86_400, -86_400,
  ])('by %i s makes it ask for its lease, and keeps all that it has', async (seconds) => {
    const address = await leasedV4(stack, pool);
    const socket = await harbour.space.client().sockets.tcp({ host: address, port: 25 });
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    const before = (await linesOf(renewed)).length;
    await shift(seconds);
    await waitFor('the lease to be confirmed', async () => (await linesOf(renewed)).length > before, {
      timeoutMs: noticedMs,
      everyMs: 500,
    });
    socket.write('still there?\n');
    await waitFor('the echo', () => heard.includes('still there?'), { timeoutMs: 60_000 });
    socket.destroy();
    expect(await leasedV4(stack, pool)).toBe(address);
    await stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');
    expect((await greeted(harbour, address)).source).toBe(harbour.clientAddress(4));
    for (const bad of ['dhcp client lost lease, retrying', 'docker event stream error, retrying']) {
      expect(await linesOf(bad)).toEqual([]);
    }
    expect(await stack.inspect('anchord', '{{.RestartCount}}')).toBe('0');
  });
});
