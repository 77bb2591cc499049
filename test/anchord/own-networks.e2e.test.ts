/** Networks that an anchor is attached to and detached from while it runs: LANs, and inner ones. */
import { serveDhcp, silenceDhcp } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorImage } from '../src/anchor-project.ts';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose, statusOf } from '../src/doctor.ts';
import { greeted } from '../src/external.ts';
import { Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const lostMessage = 'dhcp client lost lease, retrying';
const resolvedMessage = 'external interface resolved by network';

const docker = (...args: readonly string[]) => harbour.host.docker(...args);

/** A network of Docker's of both families, made as `number` says; hands back its name. */
async function makeNetwork(what: string, number: number, ...options: readonly string[]): Promise<string> {
  const name = harbour.space.name(what);
  const subnets = ['--subnet', `172.29.${number}.0/24`, '--ipv6', '--subnet', `fd29:${number}::/64`];
  await docker('network', 'create', ...harbour.space.labelled, '--internal', ...subnets, ...options, name);
  return name;
}

/** An interface of the host for another LAN to stand on. */
async function spareLink(name: string): Promise<AsyncDisposable> {
  const ip = (...args: readonly string[]) => harbour.host.must(['ip', 'link', ...args]);
  await ip('add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
  await ip('set', name, 'up');
  await ip('set', `${name}p`, 'up');
  return { [Symbol.asyncDispose]: async () => void (await ip('delete', name)) };
}

type AddressKey = 'IPAddress' | 'GlobalIPv6Address';

async function addressOn(container: string, network: string, key: AddressKey): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").${key}}}`;
  return (await docker('inspect', '--format', format, container)).trim();
}

/** Somebody on a network, who routes the inner networks of the project through the anchor. */
async function stranger(name: string, network: string, anchor: string, number: number): Promise<Stranger> {
  const image = await anchorImage(harbour);
  const standing = ['--network', network, '--cap-add', 'NET_ADMIN', '--stop-timeout', '1'];
  const id = await harbour.space.start(
    ...[name, ...standing, '--entrypoint', 'node', image],
    ...['-e', 'setInterval(() => undefined, 60_000)'],
  );
  const routes = [
    ['-4', `172.30.${number}.0/24`, await addressOn(anchor, network, 'IPAddress')],
    ['-6', `fd30:${number}::/64`, await addressOn(anchor, network, 'GlobalIPv6Address')],
  ] as const;
  for (const [family, prefix, via] of routes) {
    await docker('exec', id, 'ip', family, 'route', 'add', prefix, 'via', via);
  }
  const connect = async (host: string, port: number): Promise<string> => {
    const script = `const s=require('net').connect(${port},'${host}');s.on('data',()=>{console.log('answered');process.exit()});s.on('error',e=>{console.log(e.code);process.exit()});s.setTimeout(3000,()=>{console.log('silence');process.exit()})`;
    return (await docker('exec', id, 'node', '-e', script)).trim();
  };
  return {
    connect,
    async isAnswered(host, port) {
      const answered = async () => (await connect(host, port)) === 'answered';
      await waitFor(`${host} port ${port} to answer ${name}`, answered, { timeoutMs: 60_000 });
    },
  };
}

interface Stranger {
  /** What comes of a connection. */
  connect(host: string, port: number): Promise<string>;
  /** Waits until somebody answers. */
  isAnswered(host: string, port: number): Promise<void>;
}

const families = [
  ['IPv4', 'IPAddress'],
  ['IPv6', 'GlobalIPv6Address'],
] as const;

describe('an anchor on a second LAN and on another inner network', () => {
  const number = 21;
  let stack: ComposeProject;
  let anchor: string;
  let backend: string;
  beforeAll(async () => {
    stack = await harbour.stack({ host: 60, number, ports: ['25/tcp', '26/tcp'] });
    await stack.up();
    await harbour.reach(4, { host: 60 });
    anchor = await stack.containerOf('anchord');
    backend = await stack.containerOf('smtp-anchor');
  });

  it('shows the second LAN the exposed ports, and nothing behind them', async () => {
    await using _cable = await spareLink('wan0');
    const second = await makeNetwork('second', 1, '--driver', 'macvlan', '--opt', 'parent=wan0');
    await docker('network', 'connect', second, anchor);
    const line = await logged(
      stack,
      'anchord',
      'forwarding for inner interfaces',
      ({ refused }) => Array.isArray(refused) && refused.length === 1,
    );
    expect(line['inner']).toHaveLength(1);
    const { inner, refused } = line;
    expect(await statusOf(harbour.host, anchor)).toMatchObject({ forwarding: { inner, refused } });
    const visitor = await stranger('visitor', second, anchor, number);
    for (const [, key] of families) {
      await visitor.isAnswered(await addressOn(anchor, second, key), 25);
      const inside = await addressOn(backend, `${stack.name}_transit`, key);
      expect(await visitor.connect(inside, 25)).toBe('silence');
      expect(await visitor.connect(inside, 26)).toBe('silence');
    }
    const diagnosis = await diagnose(harbour.host, ['docker', 'exec', anchor, 'anchord']);
    expect(diagnosis.codes('fine')).toContain('tables-differ');
  });

  it('lets inner networks through to each other, also one that it was attached to while it ran', async () => {
    const more = await makeNetwork('more', 2);
    await docker('network', 'connect', more, anchor);
    await logged(
      stack,
      'anchord',
      'forwarding for inner interfaces',
      ({ inner }) => Array.isArray(inner) && inner.length === 2,
    );
    const neighbour = await stranger('neighbour', more, anchor, number);
    for (const [, key] of families) {
      await neighbour.isAnswered(await addressOn(backend, `${stack.name}_transit`, key), 26);
    }
  });
});

/** A service on a network of its own, with a service-anchor that follows whoever is called anchord there. */
async function serviceOn(network: string, project: string, expose: string, port: string): Promise<void> {
  const { space } = harbour;
  const labels = [`com.docker.compose.project=${project}`, `anchord.expose=${expose}`].flatMap((label) => [
    '--label',
    label,
  ]);
  const owner = await space.start(
    ...['owner', '--network', network, '--cap-add', 'NET_ADMIN', ...labels],
    ...['--env', 'ANCHORD_GATEWAY_RESOLVE_INTERVAL=1s', await anchorImage(harbour), 'service-anchor'],
  );
  await space.start('service', '--network', `container:${owner}`, 'berth-lab/echo', port);
}

describe('an anchor whose networks come and go while it runs', () => {
  const number = 22;
  const host = 61;
  let stack: ComposeProject;
  let anchor: string;
  const withdrawn = (subject: string) =>
    waitFor(
      `${subject} told as out of reach`,
      async () => (await docker('exec', anchor, 'anchord', 'health')).includes(`no-address: ${subject}`),
      { timeoutMs: 60_000, everyMs: 100 },
    );
  beforeAll(async () => {
    const project = `${harbour.space.id}g`;
    stack = await harbour.stack({ host, number, project });
    await stack.up();
    await harbour.reach(4, { host });
    anchor = await stack.containerOf('anchord');
  });
  /** What this is about: nobody restarts it. */
  const running = () => docker('inspect', '--format', '{{.State.StartedAt}} {{.RestartCount}}', anchor);

  it('serves who stands on a network that it is attached to, and no longer when it is detached', async () => {
    const before = await running();
    const late = await makeNetwork('late', 3);
    await serviceOn(late, stack.name, 'tcp/80', '80/tcp');
    await withdrawn(harbour.space.name('owner'));
    for (let round = 0; round < 2; round++) {
      await docker('network', 'connect', '--alias', 'anchord', late, anchor);
      for (const family of [4, 6] as const) {
        const { source } = await harbour.reach(family, { host, port: 80 });
        expect(source).toBe(harbour.clientAddress(family));
      }
      await docker('network', 'disconnect', late, anchor);
      await withdrawn(harbour.space.name('owner'));
    }
    await harbour.reach(4, { host });
    expect(await running()).toBe(before);
    await docker('rm', '--force', harbour.space.name('service'), harbour.space.name('owner'));
  });

  it('serves again when it is back on the network that it had settled on', async () => {
    const before = await running();
    const transit = `${stack.name}_transit`;
    await docker('network', 'disconnect', transit, anchor);
    await withdrawn(`${stack.name}-smtp-anchor-1`);
    await docker('network', 'connect', '--alias', 'anchord', transit, anchor);
    for (const family of [4, 6] as const) {
      const { source } = await harbour.reach(family, { host });
      expect(source).toBe(harbour.clientAddress(family));
    }
    expect(await running()).toBe(before);
  });

  it('is back on the LAN when its external network is, under whatever name the interface has then', async () => {
    const before = await running();
    const addresses = [harbour.address(4, host), harbour.address(6, host)] as const;
    const first = (await stack.logs('anchord')).find(({ msg }) => msg === resolvedMessage)?.['iface'];
    await docker('network', 'disconnect', harbour.lan, anchor);
    await logged(stack, 'anchord', 'external IPv4 lost');
    await docker('network', 'connect', '--ip', addresses[0], '--ip6', addresses[1], harbour.lan, anchor);
    await logged(stack, 'anchord', resolvedMessage, ({ iface }) => iface !== first);
    for (const family of [4, 6] as const) {
      const { source } = await harbour.reach(family, { host });
      expect(source).toBe(harbour.clientAddress(family));
      // By the default route, which has to lead through the new interface.
      expect((await harbour.reach(family, { host, from: 'inet' })).source).toBe(
        harbour.clientAddress(family, 'inet'),
      );
    }
    const diagnosis = await diagnose(harbour.host, ['docker', 'exec', anchor, 'anchord']);
    expect(diagnosis.codes('problem')).toEqual([]);
    expect(await running()).toBe(before);
  });
});

describe('an anchor that leases its address', () => {
  it('has a lease again when its external network is back', async () => {
    const { lan } = harbour.space.lab;
    await serveDhcp(lan, { v4: true, v6: 'none', leaseSeconds: 600, pool: [100, 109] });
    const env = { ANCHORD_ADDRESS_MODE: 'dhcp-refresh', ANCHORD_DHCP_HOSTNAME: 'roaming' };
    const project = `${harbour.space.id}h`;
    await using stack = await harbour.stack({ host: 62, number: 23, project, env });
    await stack.up();
    const acquired = 'dhcp v4 lease acquired';
    const first = await logged(stack, 'anchord', acquired);
    const anchor = await stack.containerOf('anchord');
    await docker('network', 'disconnect', harbour.lan, anchor);
    // So long that the pauses between its attempts have grown.
    await waitFor(
      'the third failure',
      async () => (await stack.logs('anchord')).filter(({ msg }) => msg === lostMessage).length >= 3,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await docker('network', 'connect', harbour.lan, anchor);
    const second = await logged(stack, 'anchord', acquired, ({ iface }) => iface !== first['iface']);
    const { source } = await greeted(harbour, String(second['ip']));
    expect(source).toBe(harbour.clientAddress(4));
    expect((await greeted(harbour, String(second['ip']), 'inet')).source).toBe(
      harbour.clientAddress(4, 'inet'),
    );
    expect(await stack.inspect('anchord', '{{.RestartCount}}')).toBe('0');
    await silenceDhcp(lan);
  });
});
