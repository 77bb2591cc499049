/** What a user of the reference project may rely on, on a real engine and a real LAN. */
import { Netns } from '@berth/kernel/netns';
import { Nftables } from '@berth/kernel/nftables';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { filterBridges, Harbour, logged } from '../src/harbour.ts';

const bothFamilies = [4, 6] as const;

describe('one project', () => {
  let harbour: Harbour;
  let stack: ComposeProject;
  let coldStartMs: number;

  beforeAll(async () => {
    harbour = await Harbour.open();
    stack = await harbour.stack({
      expose: 'tcp/25,tcp/465,tcp/636:6636,udp/53,udp/5353:1053',
      ports: ['25/tcp', '465/tcp', '6636/tcp', '53/udp', '1053/udp'],
    });
    await stack.up();
    await harbour.reach(4);
    coldStartMs = Date.now() - (await startedAt('anchord'));
  });
  afterAll(() => harbour?.[Symbol.asyncDispose]());

  /** When Docker had started it: how long Docker takes for that is not what this is about. */
  const startedAt = async (service: string) =>
    Date.parse(await stack.inspect(service, '{{.State.StartedAt}}'));

  it('is reached from the LAN within 30 s of a cold start', () => {
    expect(coldStartMs).toBeLessThan(30_000);
  });

  it.each(bothFamilies)('shows the service the real address of its client, IPv%i', async (family) => {
    expect(await harbour.reach(family)).toMatchObject({ source: harbour.clientAddress(family), port: 25 });
  });

  it.each(
    bothFamilies,
  )('has several ports on one service-anchor, each with the real client, IPv%i', async (family) => {
    const source = harbour.clientAddress(family, 'client2');
    for (const [port, behind] of [
      [25, 25],
      [465, 465],
      [636, 6636],
    ] as const) {
      const greeting = await harbour.reach(family, { port, from: 'client2' });
      expect(greeting).toMatchObject({ source, port: behind });
    }
    for (const [port, behind] of [
      [53, 53],
      [5353, 1053],
    ] as const) {
      const udp = { host: harbour.address(family, 40), port, timeoutMs: 1_000 };
      const client = harbour.space.client('client2');
      const greeting = await waitFor('a datagram', () => client.greetUdp(udp).catch(() => undefined), {
        timeoutMs: 60_000,
      });
      expect(greeting).toMatchObject({ source, port: behind });
    }
  });

  it('answers clients beyond the router of the LAN, which see nobody but the project', async () => {
    const greeting = await harbour.reach(4, { from: 'inet' });
    expect(greeting.source).toBe(harbour.clientAddress(4, 'inet'));
  });

  it.each(
    bothFamilies,
  )('is reached by a sibling on the inner network through its external address, IPv%i', async (family) => {
    const address = harbour.address(family, 40);
    const script = `const s=require('net').connect(25,'${address}');s.on('data',d=>{process.stdout.write(d);s.destroy()});s.on('error',e=>{console.error(e);process.exit(1)});s.setTimeout(30000,()=>process.exit(2))`;
    const image = ['--entrypoint', '/usr/bin/node', 'berth-lab/echo', '-e', script];
    const run = ['run', '--rm', ...harbour.space.labelled, '--network', `${stack.name}_transit`];
    // A plain container on an internal network has no way out but through the anchor.
    const anchorAddress = await stack.inspect(
      'anchord',
      `{{(index .NetworkSettings.Networks "${stack.name}_transit").${family === 4 ? 'IPAddress' : 'GlobalIPv6Address'}}}`,
    );
    const id = (
      await harbour.host.docker(
        ...run.slice(0, 1),
        '--detach',
        ...run.slice(2),
        '--entrypoint',
        'sleep',
        'berth-lab/echo',
        '600',
      )
    ).trim();
    const pid = Number(await harbour.host.docker('inspect', '--format', '{{.State.Pid}}', id));
    await harbour.host.must([
      'nsenter',
      `--target=${pid}`,
      '--net',
      'ip',
      `-${family}`,
      'route',
      'replace',
      'default',
      'via',
      anchorAddress,
    ]);
    const said = await harbour.host.docker(
      'run',
      '--rm',
      ...harbour.space.labelled,
      '--network',
      `container:${id}`,
      ...image,
    );
    await harbour.host.docker('rm', '--force', id);
    expect(JSON.parse(said)).toMatchObject({ source: anchorAddress });
  });

  it('answers the health check of its containers', async () => {
    expect(await stack.exec('anchord', 'anchord', 'health')).toBe('ready\n');
    expect(await stack.exec('smtp-anchor', 'anchord', 'health')).toBe('ready\n');
  });

  it('shows operators the ports under the names that they know', async () => {
    const map = await stack.exec('anchord', 'nft', 'list', 'map', 'ip', 'anchord_v4', 'dnat_tcp');
    const address = await stack.inspect(
      'smtp-anchor',
      `{{(index .NetworkSettings.Networks "${stack.name}_transit").IPAddress}}`,
    );
    expect(map).toContain(`25 : ${address}`);
    await stack.exec('anchord', 'nft', 'list', 'table', 'ip6', 'anchord_v6');
  });

  it('is back within 5 s when a service is re-created, and lets go of old connections', async () => {
    const client = harbour.space.client();
    const old = await client.sockets.tcp({ host: harbour.address(4, 40), port: 25 });
    const ended = new Promise((resolve) => {
      old.on('close', resolve);
      old.on('error', resolve);
    });
    old.resume();
    await stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');
    const greeting = await harbour.reach(4);
    expect(greeting.source).toBe(harbour.clientAddress(4));
    const up = await startedAt('smtp-anchor');
    const line = await logged(stack, 'anchord', 'reconciled', ({ time }) => Date.parse(String(time)) >= up);
    expect(Date.parse(String(line['time'])) - up).toBeLessThan(5_000);
    old.write('are you still there?\n');
    await ended;
    old.destroy();
  });

  it.each([
    [4, 53],
    [6, 53],
    [4, 5353],
  ] as const)('moves a flow of datagrams to the re-created service without a new socket, IPv%i, port %i', async (family, port) => {
    await using flow = await harbour.space
      .client()
      .udpFlow({ host: harbour.address(family, 40), port, timeoutMs: 500 });
    const first = await flow.greet();
    await stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');
    const second = await waitFor('an answer on the same flow', () => flow.greet().catch(() => undefined), {
      timeoutMs: 60_000,
    });
    expect(second.sourcePort).toBe(first.sourcePort);
    expect(second.service).not.toBe(first.service);
  });

  it('repairs its default route within milliseconds when somebody moves it to the inner network', async () => {
    const inner = await stack.inspect(
      'smtp-anchor',
      `{{(index .NetworkSettings.Networks "${stack.name}_transit").IPAddress}}`,
    );
    await stack.exec('anchord', 'ip', 'route', 'replace', 'default', 'via', inner);
    const line = await logged(stack, 'anchord', 'ext default route enforced', ({ prev }) => prev === inner);
    expect(line).toMatchObject({ family: 'v4', gw: harbour.address(4, 1) });
    expect(await stack.exec('anchord', 'ip', 'route', 'show', 'default')).toContain(
      `via ${harbour.address(4, 1)}`,
    );
  });

  it.each(
    bothFamilies,
  )('has its default route back when somebody flushes all routes by gateways, IPv%i', async (family) => {
    await stack.exec('anchord', 'ip', `-${family}`, 'route', 'flush', 'default');
    const name = `v${family}`;
    await logged(
      stack,
      'anchord',
      'ext default route enforced',
      (line) => line['family'] === name && line['prev'] === '',
    );
    expect((await harbour.reach(family, { from: 'inet' })).source).toBe(
      harbour.clientAddress(family, 'inet'),
    );
  });

  it.each(
    bothFamilies,
  )('repairs the default route of a service when somebody deletes it, IPv%i', async (number) => {
    await stack.exec('smtp-anchor', 'ip', `-${number}`, 'route', 'del', 'default');
    await logged(
      stack,
      'smtp-anchor',
      'default route updated',
      ({ family, reason, prev }) => family === `v${number}` && reason === 'missing' && prev === '',
    );
    expect((await harbour.reach(number, { from: 'inet' })).source).toBe(
      harbour.clientAddress(number, 'inet'),
    );
  });

  it('puts its tables back when another program flushes them', async () => {
    await stack.exec('anchord', 'nft', 'flush', 'ruleset');
    await logged(stack, 'anchord', 'tables were changed by another program; repaired');
    for (const family of bothFamilies) {
      expect((await harbour.reach(family)).source).toBe(harbour.clientAddress(family));
    }
  });

  it('finds out by itself that the host drops its path, says what to do, and when it is over', async () => {
    await filterBridges(harbour.host, true);
    try {
      await stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp');
      const line = await logged(stack, 'anchord', 'path to backend blocked by bridge netfilter on the host');
      expect(line['remedy']).toContain('net.bridge.bridge-nf-call-iptables=0');
      expect(await stack.exec('anchord', 'anchord', 'health')).toContain('error: bridge-netfilter');
    } finally {
      await filterBridges(harbour.host, false);
    }
    await logged(stack, 'anchord', 'path to backend open');
    // The path of each family is tried by itself.
    const health = () => stack.exec('anchord', 'anchord', 'health').catch(String);
    await waitFor('both paths', async () => (await health()) === 'ready\n', { timeoutMs: 60_000 });
  });

  it('serves on when the anchor is killed hard, and when it is back', async () => {
    await stack.run('kill', '--signal', 'KILL', 'anchord');
    await stack.up('anchord');
    for (const family of bothFamilies) {
      expect((await harbour.reach(family)).source).toBe(harbour.clientAddress(family));
    }
  });

  it('lets services follow an anchor that is re-created with another inner address', async () => {
    const addressOf = () =>
      stack.inspect('anchord', `{{(index .NetworkSettings.Networks "${stack.name}_transit").IPAddress}}`);
    const before = await addressOf();
    await stack.run('rm', '--force', '--stop', 'anchord');
    // Somebody else takes the address, so that the anchor comes back with another one.
    await harbour.space.start(
      'squatter',
      '--network',
      `${stack.name}_transit`,
      '--ip',
      before,
      'berth-lab/echo',
    );
    await stack.up('anchord');
    expect(await addressOf()).not.toBe(before);
    await logged(stack, 'smtp-anchor', 'default route updated', ({ prev }) => prev === before);
    expect((await harbour.reach(4)).source).toBe(harbour.clientAddress(4));
    expect((await harbour.reach(6)).source).toBe(harbour.clientAddress(6));
  });

  it('ends in order: exit code 0, own tables gone, and not a word about trouble', async () => {
    const pid = Number(await stack.inspect('anchord', '{{.State.Pid}}'));
    using namespace = Netns.atPath(harbour.host.path(`/proc/${pid}/ns/net`));
    using nftables = Nftables.open({ namespace });
    expect(nftables.tables().map(({ name }) => name)).toContain('anchord_v4');
    const id = await stack.containerOf('anchord');
    await harbour.host.docker('stop', '--time', '10', id);
    expect(await stack.inspect('anchord', '{{.State.ExitCode}}')).toBe('0');
    expect(nftables.tables().filter(({ name }) => name.startsWith('anchord'))).toEqual([]);
    const messages = (await stack.logs('anchord')).map(({ msg }) => msg);
    expect(messages).toContain('signal received, shutting down');
    expect(messages.filter((msg) => msg.startsWith('nat teardown'))).toEqual([]);
  });
});
