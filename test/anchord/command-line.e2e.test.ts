/** The program as a stranger meets it: in its image, with nothing set up, or with something set up wrong. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { anchordImage } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let image: string;
beforeAll(async () => {
  harbour = await Harbour.open();
  image = await anchordImage(harbour.host, (line) => void process.stdout.write(`  ${line}\n`));
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const run = (options: readonly string[], ...words: readonly string[]) =>
  harbour.host.exec(['docker', 'run', '--rm', ...harbour.space.labelled, ...options, image, ...words]);
const inside = (id: string, ...words: readonly string[]) =>
  harbour.host.exec(['docker', 'exec', id, 'anchord', ...words]);

/** The only line, which is the end of the program. */
function fatal(stdout: string): Readonly<Record<string, unknown>> {
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>;
  expect(line).toMatchObject({ level: 'ERROR', msg: 'fatal' });
  return line;
}

describe('in its image', () => {
  it('says what there is, in 80 columns and without colours', async () => {
    const { code, stdout, stderr } = await run([], '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('\n  doctor all ');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('\x1b');
    expect((await run([], '--version')).stdout).toMatch(/^anchord \S+ \(\S+\)\n$/);
  });

  it('answers an unknown mode with one JSON line on stdout, whichever way it came', async () => {
    const want =
      '(want "network-anchor", "service-anchor", "doctor", "external-rebinder", or "wrap-rebinder")';
    for (const [options, words] of [
      [[], ['docter']],
      [['--env', 'ANCHORD_MODE=docter'], []],
    ] as const) {
      const { code, stdout, stderr } = await run(options, ...words);
      expect([code, stderr]).toEqual([1, '']);
      expect(fatal(stdout)).toMatchObject({
        err: `unknown mode "docter" ${want}`,
        code: 'MODE_UNKNOWN',
        remedy: expect.stringContaining('Did you mean "doctor"?'),
      });
    }
  });

  it('names all that is wrong with its settings in one JSON line, and touches nothing', async () => {
    const { code, stdout, stderr } = await run([
      ...['--env', 'ANCHORD_POLL_INTERVAL=0', '--env', 'ANCHORD_DHCP_BACKOFF_MAX=-1s'],
      ...['--env', 'ANCHORD_PROJECT=mail', '--env', 'ANCHORD_ADDRESS_MODE=DHCP'],
    ]);
    expect([code, stderr]).toEqual([1, '']);
    expect(fatal(stdout)).toMatchObject({
      err: expect.stringMatching(
        /^config: invalid ANCHORD_ADDRESS_MODE "DHCP" .*; ANCHORD_POLL_INTERVAL must be positive; ANCHORD_DHCP_BACKOFF_MAX must be positive$/,
      ),
      code: 'CONFIG_INVALID',
    });
  });

  it('says once that a log level means info, and takes no notice of variables that it does not know', async () => {
    const { stdout } = await run([
      ...['--env', 'ANCHORD_LOG_LEVEL=INFO', '--env', 'ANCHORD_PROJECT=mail', '--env', 'ANCHORD_NONSENSE=1'],
    ]);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; value?: string });
    expect(lines.filter(({ msg }) => msg === 'unknown ANCHORD_LOG_LEVEL, using info')).toMatchObject([
      { value: 'INFO' },
    ]);
    // No Docker in there.
    expect(lines.at(-1)).toMatchObject({ msg: 'fatal' });
  });

  it.each([
    [['--env', 'ANCHORD_MODE=doctor'], []],
    [[], ['doctor']],
    [[], ['doctor', '--help']],
  ])('shows the usage of the doctor on stderr, exit code 0: %j %j', async (options, words) => {
    const { code, stdout, stderr } = await run(options, ...words);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^Usage: anchord doctor <subcommand>\n\nSubcommands:\n {2}stale-netns /);
  });

  it('refuses what the doctor does not know with its usage, a JSON line and exit code 1', async () => {
    const other = await run([], 'doctor', 'netns');
    expect([other.code, fatal(other.stdout)['err']]).toEqual([1, 'unknown doctor subcommand "netns"']);
    expect(other.stderr).toMatch(/^Usage: anchord doctor/);
    const more = await run([], 'doctor', 'stale-netns', 'now');
    expect([more.code, fatal(more.stdout)['err']]).toEqual([
      1,
      'doctor stale-netns: unexpected arguments now',
    ]);
  });

  it('ends with 1 when the doctor has no Docker to ask, and with 3 when there is no anchor to ask', async () => {
    const stale = await run([], 'doctor', 'stale-netns');
    expect([stale.code, fatal(stale.stdout)['code']]).toEqual([1, 'ENGINE_UNREACHABLE']);
    const status = await run([], 'status');
    expect([status.code, status.stdout]).toEqual([3, '']);
    expect(status.stderr).toContain('docker exec NAME anchord status');
  });

  it('checks and prints settings without starting anything', async () => {
    const good = await run(['--env', 'ANCHORD_PROJECT=mail'], 'config', 'check');
    expect([good.code, good.stderr]).toEqual([0, '']);
    const bad = await run(['--env', 'ANCHORD_GATEWAY_IP=x'], 'config', 'check', '--mode', 'service-anchor');
    expect([bad.code, bad.stdout, bad.stderr]).toEqual([1, '', 'ANCHORD_GATEWAY_IP="x" is not a valid IP\n']);
  });
});

describe('two service-anchors in one namespace', () => {
  const gateway = ['--env', 'ANCHORD_GATEWAY_IP=172.17.0.1', '--cap-add', 'NET_ADMIN'];

  it('share its port, and each is healthy or not by itself', async () => {
    const { space } = harbour;
    const first = await space.start('first', ...gateway, image, 'service-anchor');
    const ready = async (id: string) => (await inside(id, 'health')).stdout === 'ready\n';
    await waitFor('the first to be ready', () => ready(first), { timeoutMs: 60_000 });
    // Its gateway is nowhere, so this one never gets ready; the port answers for the other one.
    const nowhere = ['--env', 'ANCHORD_GATEWAY_IP=192.0.2.1', '--cap-add', 'NET_ADMIN'];
    const second = await space.start(
      'second',
      '--network',
      `container:${first}`,
      ...nowhere,
      image,
      'service-anchor',
    );
    const clash = await waitFor(
      'the clash of the ports to be told',
      async () =>
        (await harbour.host.docker('logs', second))
          .split('\n')
          .find((line) => line.includes('metrics listener exited')),
      { timeoutMs: 60_000 },
    );
    expect(JSON.parse(clash)).toMatchObject({ level: 'WARN', addr: '127.0.0.1:9090' });
    expect((await inside(second, 'health')).stdout).toMatch(/^route_installed: false\n/);
    expect((await inside(second, 'health')).code).toBe(1);
    expect(await ready(first)).toBe(true);
  });

  it('cannot be in one container', async () => {
    const id = await harbour.space.start('only', ...gateway, image, 'service-anchor');
    await waitFor('it to answer', async () => (await inside(id, 'status')).code === 0, { timeoutMs: 60_000 });
    const { code, stdout } = await inside(id, 'service-anchor');
    expect([code, fatal(stdout)['code']]).toEqual([1, 'ALREADY_RUNNING']);
    expect((await inside(id, 'status')).code).toBe(0);
  });

  it('are told to the doctor by their command, without a word of the environment', async () => {
    const id = await harbour.space.start('told', ...gateway, image, 'service-anchor');
    await waitFor('it to answer', async () => (await inside(id, 'status')).code === 0, { timeoutMs: 60_000 });
    expect((await inside(id, 'config', 'print')).stdout).toMatch(/^# service-anchor\n/);
    expect((await inside(id, 'status')).stdout).toMatch(/^Mode +service-anchor, /);
  });
});

describe('an engine behind TLS', () => {
  /** An authority, and certificates of it for an address and for a client. */
  async function certificates(folder: string, address: string): Promise<void> {
    const openssl = (...argv: readonly string[]) => promisify(execFile)('openssl', argv, { cwd: folder });
    const key = ['-newkey', 'rsa:2048', '-nodes', '-batch'];
    await openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'ca-key.pem',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=authority',
    );
    await writeFile(join(folder, 'server.ext'), `subjectAltName=IP:${address}\n`);
    for (const [name, extra] of [
      ['server', ['-extfile', 'server.ext']],
      ['client', []],
    ] as const) {
      await openssl(
        'req',
        '-new',
        ...key,
        '-keyout',
        `${name}-key.pem`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
      );
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '1'];
      await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, ...extra, '-out', `${name}.pem`);
    }
    // Under the names that the Docker tools look for.
    await cp(join(folder, 'client.pem'), join(folder, 'cert.pem'));
    await cp(join(folder, 'client-key.pem'), join(folder, 'key.pem'));
  }

  const terminator = `
    const fs = require('fs'), file = (name) => fs.readFileSync('/certs/' + name);
    const options = { ca: file('ca.pem'), cert: file('server.pem'), key: file('server-key.pem'), requestCert: true };
    require('tls').createServer(options, (client) => {
      const engine = require('net').connect('/var/run/docker.sock');
      for (const [from, to] of [[client, engine], [engine, client]]) from.on('error', () => to.destroy()).pipe(to);
    }).listen(2376);
    process.on('SIGTERM', () => process.exit(0));`;

  it('is used by the modes that run for a while, and by the doctor', async () => {
    const { space, host } = harbour;
    const folder = await mkdtemp(join(tmpdir(), 'berth-tls-'));
    try {
      const network = space.name('tls');
      await host.docker('network', 'create', ...space.labelled, '--subnet', '172.30.241.0/24', network);
      await certificates(folder, '172.30.241.2');
      const certs = ['--volume', `${folder}:/certs:ro`];
      const server = [
        '--volume',
        '/var/run/docker.sock:/var/run/docker.sock',
        '--entrypoint',
        '/usr/bin/node',
      ];
      const on = ['--network', network, '--ip', '172.30.241.2'];
      await space.start('terminator', ...on, ...certs, ...server, 'berth-lab/echo', '-e', terminator);
      const secured = [
        ...['--network', network, ...certs, '--env', 'DOCKER_HOST=tcp://172.30.241.2:2376'],
        ...['--env', 'DOCKER_TLS_VERIFY=1', '--env', 'DOCKER_CERT_PATH=/certs'],
      ];
      const project = ['--env', 'COMPOSE_PROJECT_NAME=nobody'];
      const id = await space.start('secured', ...secured, ...project, image, 'wrap-rebinder');
      await waitFor(
        'the rebinder to be ready',
        async () => (await inside(id, 'health')).stdout === 'ready\n',
        {
          timeoutMs: 60_000,
        },
      );
      const { code, stdout } = await inside(id, 'doctor', 'all', '--only', 'docker-unreachable');
      expect([code, stdout]).toEqual([0, expect.stringContaining('tcp://172.30.241.2:2376 (TLS)')]);
      const plain = await run(
        ['--network', network, '--env', 'DOCKER_HOST=tcp://172.30.241.2:2376'],
        'doctor',
        'stale-netns',
      );
      expect(plain.code).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('settings that exclude each other', () => {
  it('says which of two settings that exclude each other counts', async () => {
    const both = ['--env', 'ANCHORD_GATEWAY_IP=172.17.0.1', '--env', 'ANCHORD_GATEWAY_HOSTNAME=anchord'];
    const silent = ['--env', 'ANCHORD_METRICS_ADDR=', '--cap-add', 'NET_ADMIN'];
    const id = await harbour.space.start('both', ...both, ...silent, image, 'service-anchor');
    // Its health does not come from the listener.
    const ready = async () => (await inside(id, 'health')).stdout === 'ready\n';
    await waitFor('it to be ready', ready, { timeoutMs: 60_000 });
    const logs = await harbour.host.docker('logs', id);
    expect(logs).toContain('both ANCHORD_GATEWAY_HOSTNAME and ANCHORD_GATEWAY_IP set; using GATEWAY_IP');
    expect(logs).toContain('metrics + health listener disabled (ANCHORD_METRICS_ADDR=\\"\\")');
    expect(logs).not.toContain('metrics listener started');
  });

  it.each(['eth0', 'eth7'])('says so, too, of the interface %s beside a network', async (name) => {
    const { stdout } = await run([
      ...['--env', `ANCHORD_EXT_IFACE=${name}`, '--env', 'ANCHORD_EXT_NETWORK=lan'],
      ...['--env', 'ANCHORD_PROJECT=nobody', '--env', 'DOCKER_HOST=tcp://127.0.0.1:1'],
    ]);
    const told = stdout.split('\n').find((line) => line.includes('using EXT_NETWORK')) ?? '{}';
    expect(JSON.parse(told)).toMatchObject({
      level: 'WARN',
      msg: 'both ANCHORD_EXT_NETWORK and ANCHORD_EXT_IFACE set; using EXT_NETWORK',
      network: 'lan',
      ignored_iface: name,
    });
  });
});

describe('whoever only talks to Docker', () => {
  const socket = ['--volume', '/var/run/docker.sock:/var/run/docker.sock'];
  const nothing = ['--cap-drop', 'ALL', '--read-only', ...socket];

  it('needs no right in the kernel: a rebinder, and the doctor', async () => {
    const id = await harbour.space.start(
      'bare',
      ...nothing,
      '--env',
      'COMPOSE_PROJECT_NAME=nobody',
      image,
      'wrap-rebinder',
    );
    const ready = async () => (await inside(id, 'health')).stdout === 'ready\n';
    await waitFor('the rebinder to be ready', ready, { timeoutMs: 60_000 });
    expect((await run(nothing, 'doctor', 'stale-netns')).code).toBe(0);
  });
});

describe('a network-anchor that cannot begin', () => {
  const socket = ['--volume', '/var/run/docker.sock:/var/run/docker.sock'];
  const project = ['--env', 'ANCHORD_PROJECT=nobody'];
  const last = (stdout: string) => fatal(stdout.trimEnd().split('\n').at(-1) ?? '');

  it.each([
    ['without NET_ADMIN', [], 'KERNEL_NOT_PERMITTED', /^nat setup: /],
    [
      'on no network',
      ['--network', 'none', '--cap-add', 'NET_ADMIN'],
      'NO_OWN_NETWORKS',
      /^no networks on self/,
    ],
    [
      'with a network that it is not on',
      ['--env', 'ANCHORD_EXT_NETWORK=nowhere', '--cap-add', 'NET_ADMIN'],
      'EXTERNAL_INTERFACE_NOT_FOUND',
      /^resolve external iface from network "nowhere": network not found in container's NetworkSettings$/,
    ],
    [
      'with an engine that nobody can reach',
      ['--env', 'DOCKER_HOST=unix:///run/nothing.sock', '--cap-add', 'NET_ADMIN'],
      'ENGINE_UNREACHABLE',
      /nothing\.sock/,
    ],
  ])('%s ends with 1 and says why', async (_, options, code, err) => {
    const ended = await run([...socket, ...project, ...options]);
    expect([ended.code, ended.stderr]).toEqual([1, '']);
    expect(last(ended.stdout)).toMatchObject({ code, err: expect.stringMatching(err) });
    expect(ended.stdout).not.toContain('"nat teardown');
  });
});
