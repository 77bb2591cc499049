/** Networks that an anchor is attached to and detached from while it runs: LANs, and inner ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorImage } from '../src/anchor-project.ts';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose } from '../src/doctor.ts';
import { Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

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
  return {
    connect: async (host, port) => {
      const script = `const s=require('net').connect(${port},'${host}');s.on('data',()=>{console.log('answered');process.exit()});s.on('error',e=>{console.log(e.code);process.exit()});s.setTimeout(1500,()=>{console.log('silence');process.exit()})`;
      return (await docker('exec', id, 'node', '-e', script)).trim();
    },
  };
}

interface Stranger {
  /** What comes of a connection. */
  connect(host: string, port: number): Promise<string>;
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
    const visitor = await stranger('visitor', second, anchor, number);
    for (const [, key] of families) {
      expect(await visitor.connect(await addressOn(anchor, second, key), 25)).toBe('answered');
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
      expect(await neighbour.connect(await addressOn(backend, `${stack.name}_transit`, key), 26)).toBe(
        'answered',
      );
    }
  });
});
