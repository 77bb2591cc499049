import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope, systemClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { health } from '../commands/health.ts';
import { described, status } from '../commands/status.ts';
import * as tables from '../messages/index.ts';
import { RecentRepairs, repairWords } from './repairs.ts';
import { askStatus, ownMounts, serveStatus } from './socket.ts';
import { type Status, StatusBoard } from './status.ts';

let folder: string;
let path: string;
let scope: Scope;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-status-'));
  path = join(folder, 'run', 'status.sock');
  scope = new Scope('test', (error) => {
    throw error;
  });
});
afterEach(async () => {
  await scope.close();
  rmSync(folder, { recursive: true, force: true });
});

const { externalRebinderMessages, lifecycleMessages, routeMessages, wrapRebinderMessages } = tables;

const told: Status = {
  version: '1.0.0',
  commit: 'abc',
  mode: 'network-anchor',
  pid: 7,
  mounts: ownMounts(),
  startedAt: '2026-11-28T01:00:00.000Z',
  ready: true,
  gates: { tables_installed: true, reconciled: true },
  problems: [
    { code: 'forwarding-off', severity: 'error', subject: 'v4', detail: 'net.ipv4.ip_forward is 0' },
  ],
  repairs: [{ at: '2026-11-28T01:01:00.000Z', what: 'ext default route enforced family=v4 gw=10.99.0.1' }],
  scope: { project: 'mail', selector: 'com.docker.compose.project=mail' },
  external: {
    network: 'lan',
    interface: 'eth1',
    mac: '02:42:0a:63:00:28',
    up: true,
    addresses: ['10.99.0.40/24', 'fd99::40/64'],
    addressMode: 'dhcp-refresh',
    hostname: 'mail',
  },
  leases: [{ family: 'v4', remainingSeconds: 3_000 }],
  gateways: { v4: '10.99.0.1', v6: undefined },
  sharedNetwork: 'mail_transit',
  forwarding: { inner: ['eth0', 'eth2'], refused: ['eth3'] },
  managed: { name: 'outpost-service-anchor', target: 'outpost' },
  ports: [
    { family: 'v4', port: 'tcp/25', to: '172.30.1.3:25', container: 'mail-smtp-anchor-1' },
    { family: 'v6', port: 'tcp/636', to: '[fd30:1::3]:6636', container: 'mail-smtp-anchor-1' },
  ],
};

const serve = (state: Status = told, recording = new RecordingLog()) =>
  serveStatus(scope, { log: recording.log, clock: systemClock, describe: () => state }, path);

describe('the status socket', () => {
  it('tells one document to each who asks, as long as the process lives', async () => {
    await serve();
    expect(await askStatus(systemClock, path)).toEqual(JSON.parse(JSON.stringify(told)));
    expect(await askStatus(systemClock, path)).toMatchObject({ mode: 'network-anchor' });
    await scope.close();
    expect(await askStatus(systemClock, path)).toMatch(/^nobody answers at /);
  });

  it('tells of every port that there is', async () => {
    const [port] = told.ports ?? [];
    await serve({ ...told, ports: Array.from({ length: 2 * 65_535 }, () => ({ ...port! })) });
    expect(await askStatus(systemClock, path)).toMatchObject({ ports: { length: 2 * 65_535 } });
  });

  it('takes the place of one that a killed process has left', async () => {
    await serve();
    writeFileSync(`${path}.x`, '');
    await scope.close();
    scope = new Scope('next', () => undefined);
    await serve();
    expect(await askStatus(systemClock, path)).toMatchObject({ pid: 7 });
  });

  it('refuses a second anchor in the same container, and leaves the socket of another container alone', async () => {
    await serve();
    await expect(serve()).rejects.toMatchObject({
      code: 'ALREADY_RUNNING',
      message: 'an anchor (network-anchor, process 7) runs in this container already',
    });
    await scope.close();
    scope = new Scope('next', () => undefined);
    await serve({ ...told, mounts: 'mnt:[1]' });
    const recording = new RecordingLog();
    await serve(told, recording);
    expect(recording.messages()).toEqual(['status socket can not be used']);
    expect(await askStatus(systemClock, path)).toMatchObject({ mounts: 'mnt:[1]' });
  });

  it('is told in the log, and no more, where it can not be made', async () => {
    writeFileSync(join(folder, 'run'), 'a file where a folder should be');
    const recording = new RecordingLog();
    await serve(told, recording);
    expect(recording.messages('warn')).toEqual(['status socket can not be used']);
  });

  it('says so when what answers there is no anchor', async () => {
    path = join(folder, 'other.sock');
    const other = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    expect(await askStatus(systemClock, path)).toBe(`what answers at ${path} is no anchor`);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('anchord health', () => {
  const ask = async () => {
    const said: string[] = [];
    return { code: await health({}, (line) => said.push(line), { socket: path }), said };
  };

  it('asks the process beside it, whoever has the port of the listener', async () => {
    await serve();
    expect(await ask()).toEqual({
      code: 0,
      said: ['ready', 'error: forwarding-off: v4: net.ipv4.ip_forward is 0'],
    });
  });

  it('names what readiness waits for', async () => {
    await serve({
      ...told,
      ready: false,
      gates: { tables_installed: true, reconciled: false },
      problems: [],
    });
    expect(await ask()).toEqual({ code: 1, said: ['tables_installed: true', 'reconciled: false'] });
  });
});

describe('anchord status', () => {
  it('is one screen for people', () => {
    expect(described(told)).toBe(`Mode        network-anchor, version 1.0.0
Running     since 2026-11-28T01:00:00.000Z, process 7
Ready       yes
Project     mail
Serves      com.docker.compose.project=mail
Interface   eth1, 02:42:0a:63:00:28, up, network lan
Addresses   10.99.0.40/24, fd99::40/64
Addressing  dhcp-refresh, as mail
Lease v4    ends in 50 min
Gateway v4  10.99.0.1
Inside      mail_transit
Forwards    eth0, eth2
Refuses     eth3
Manages     outpost-service-anchor beside outpost

Ports
  tcp/25   v4  → 172.30.1.3:25     mail-smtp-anchor-1
  tcp/636  v6  → [fd30:1::3]:6636  mail-smtp-anchor-1

Problems
  error: forwarding-off: v4: net.ipv4.ip_forward is 0

Repairs
  2026-11-28T01:01:00.000Z ext default route enforced family=v4 gw=10.99.0.1
`);
  });

  it('tells of a rebinder what it holds on to', () => {
    const { version, commit, pid, mounts, startedAt, ready } = told;
    const rest = { version, commit, pid, mounts, startedAt, ready, gates: {}, problems: [], repairs: [] };
    const follower = { ...rest, mode: 'external-rebinder', follows: 'web on directory_net' };
    expect(described({ ...follower, parked: false })).toContain('Follows  web on directory_net\n');
    expect(described({ ...follower, parked: true })).toContain(
      'Follows  web on directory_net, off it until its owner is back\n',
    );
    const wraps = [
      { container: 'web-anchor', target: 'app-web' },
      { container: 'lost', target: undefined },
    ];
    expect(described({ ...rest, mode: 'wrap-rebinder', wraps })).toContain(
      'Wraps\n  web-anchor  → app-web\n  lost        → unknown\n',
    );
    expect(described({ ...rest, mode: 'wrap-rebinder', wraps: [] })).toContain('Wraps\n  none\n');
  });

  it('lets no control character reach a terminal', () => {
    const name = 'mail\u001b[31m\n';
    const text = described({ ...told, scope: { project: name, selector: name } });
    expect(text).toContain('Project     mail\\u001b[31m\\n\n');
    expect(text).not.toContain('\u001b');
  });

  it('ends with 3 and says why when nobody answers', async () => {
    const out: string[] = [];
    const err: string[] = [];
    const host = {
      out: (text: string) => void out.push(text),
      err: (text: string) => void err.push(text),
    };
    const given = { argument: undefined, flags: new Set<string>(), values: new Map() };
    expect(await status(given, host, path)).toBe(3);
    expect(out).toEqual([]);
    expect(err.join('')).toContain('nobody answers at');
  });
});

describe('the board', () => {
  it('leaves out what fails to tell', () => {
    const board = new StatusBoard();
    board.tell('follows', () => 'anchord');
    board.tell('sharedNetwork', () => {
      throw new Error('gone');
    });
    expect(board.sections()).toEqual({ follows: 'anchord' });
  });
});

describe('recent repairs', () => {
  it('are lines of the log, each by its very words', () => {
    const words = new Set(
      Object.values(tables).flatMap((table) => Object.values(table).map(({ msg }) => msg)),
    );
    expect([...repairWords].filter((word) => !words.has(word))).toEqual([]);
  });

  it('are all that anchors do to containers', () => {
    const deeds = [
      lifecycleMessages.startingSibling,
      lifecycleMessages.createdManaged,
      lifecycleMessages.rebound,
      lifecycleMessages.rejoining,
      lifecycleMessages.recovered,
      externalRebinderMessages.released,
      externalRebinderMessages.connected,
      externalRebinderMessages.restarted,
      wrapRebinderMessages.recreated,
      wrapRebinderMessages.rejoined,
      wrapRebinderMessages.started,
    ];
    expect(deeds.filter(({ msg }) => !repairWords.has(msg))).toEqual([]);
  });

  it('are heard in the log, the last twenty of them', () => {
    const recording = new RecordingLog();
    const repairs = new RecentRepairs({ now: () => 0 });
    const log = repairs.hearing(recording.log).with({ part: 'test' });
    for (let gw = 1; gw <= 25; gw++) log.say(routeMessages.enforced, { family: 'v4', gw, prev: '' });
    log.say(routeMessages.enforcerExited, { err: 'no repair' });
    expect(repairs.list()).toHaveLength(20);
    expect(repairs.list().at(-1)).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      what: 'ext default route enforced family=v4 gw=25',
    });
    expect(recording.attrsOf('ext default route enforced').at(-1)).toEqual({
      part: 'test',
      family: 'v4',
      gw: 25,
      prev: '',
    });
  });
});
