/** Several projects and identities on one host, conflicts between them, and stacks of somebody else. */
import { anchordImage } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ComposeFile, ComposeProject } from '../src/compose.ts';
import { Harbour, logged } from '../src/harbour.ts';

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

/** What is led where; nothing as long as there are no tables. */
const mapOf = (stack: ComposeProject, anchor: string) =>
  stack.exec(anchor, 'nft', 'list', 'map', 'ip', 'anchord_v4', 'dnat_tcp').catch(() => '');
const addressOf = (stack: ComposeProject, service: string, network: string) =>
  stack.inspect(service, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);

describe('two projects on one host and LAN', () => {
  it('are reached apart from each other, and one does not notice the end of the other', async () => {
    const second = `${harbour.space.id}b`;
    await using one = await harbour.stack({ host: 43, number: 11 });
    await using two = await harbour.stack({ host: 44, number: 12, project: second });
    await Promise.all([one.up(), two.up()]);
    const [first, other] = await Promise.all([
      harbour.reach(4, { host: 43 }),
      harbour.reach(4, { host: 44 }),
    ]);
    expect(first.service).not.toBe(other.service);
    expect(await mapOf(one, 'anchord')).toContain(await addressOf(one, 'smtp-anchor', `${one.name}_transit`));
    await two.down();
    expect((await harbour.reach(4, { host: 43 })).service).toBe(first.service);
    await expect(harbour.reach(4, { host: 44, timeoutMs: 1_000 })).rejects.toThrow('an answer from');
  });
});

/** A container that exposes a port and does nothing else. */
const exposing = (
  expose: string,
  labels: Readonly<Record<string, string>> = {},
  networks: readonly string[] = ['transit'],
) => ({
  image: 'berth-lab/busybox',
  labels: { 'anchord.expose': expose, ...labels },
  networks: [...networks],
  stop_grace_period: '1s',
});

const anchor = async (
  host: number,
  env: Readonly<Record<string, string>>,
  networks: readonly string[] = ['transit'],
) => ({
  image: await anchordImage(harbour.host, say),
  cap_add: ['NET_ADMIN'],
  sysctls: { 'net.ipv4.ip_forward': '1' },
  environment: { ANCHORD_EXT_NETWORK: harbour.lan, ANCHORD_POLL_INTERVAL: '2s', ...env },
  volumes: ['/var/run/docker.sock:/var/run/docker.sock'],
  networks: {
    lan: { ipv4_address: harbour.address(4, host) },
    ...Object.fromEntries(networks.map((network) => [network, {}])),
  },
});

const project = async (file: ComposeFile, name: string) => {
  const lan = { name: harbour.lan, external: true };
  const networks = { transit: { internal: true }, ...(file['networks'] as object | undefined), lan };
  return await ComposeProject.create(harbour.space, { ...file, networks }, `${harbour.space.id}${name}`);
};

describe('two identities in one project', () => {
  it('serve only what their selector says, and containers of neither stay unserved', async () => {
    await using stack = await project(
      {
        services: {
          red: await anchor(45, {
            ANCHORD_LABEL_SELECTOR: 'anchord.identity=red',
            ANCHORD_PROJECT: 'ignored',
          }),
          blue: await anchor(46, { ANCHORD_LABEL_SELECTOR: 'anchord.identity=blue' }),
          a: exposing('tcp/80', { 'anchord.identity': 'red' }),
          b: exposing('tcp/80', { 'anchord.identity': 'blue' }),
          c: exposing('tcp/80'),
        },
      },
      'i',
    );
    await stack.up();
    const network = `${stack.name}_transit`;
    for (const [identity, service] of [
      ['red', 'a'],
      ['blue', 'b'],
    ] as const) {
      const address = await addressOf(stack, service, network);
      const map = await waitFor(
        `the map of ${identity}`,
        async () => {
          const text = await mapOf(stack, identity);
          return text.includes(address) && text;
        },
        { timeoutMs: 60_000, everyMs: 100 },
      );
      expect(map.match(/\d+ : [\d.]+/g)).toEqual([`80 : ${address}`]);
    }
    const line = await logged(stack, 'red', 'ANCHORD_LABEL_SELECTOR set; ANCHORD_PROJECT ignored');
    expect(line['ignored_project']).toBe('ignored');
    await logged(stack, 'blue', 'backend label selector active');
  });
});

describe('the shared network', () => {
  it('is chosen where the first backend appears, on which of several networks that may be', async () => {
    const networks = ['a-transit', 'b-transit', 'c-transit'];
    const name = `${harbour.space.id}n`;
    await using stack = await project(
      {
        services: {
          anchord: await anchor(47, { ANCHORD_PROJECT: name }, networks),
          late: exposing('tcp/80', {}, ['c-transit']),
        },
        networks: Object.fromEntries(networks.map((network) => [network, { internal: true }])),
      },
      'n',
    );
    await stack.up('anchord');
    await logged(stack, 'anchord', 'reconciled');
    await stack.up('late');
    const line = await logged(stack, 'anchord', 'shared network re-picked');
    expect(line).toMatchObject({ old: `${name}_a-transit`, new: `${name}_c-transit` });
    const address = await addressOf(stack, 'late', `${name}_c-transit`);
    await waitFor(
      'the backend in the map',
      async () => (await mapOf(stack, 'anchord')).includes(`80 : ${address}`),
      {
        timeoutMs: 60_000,
      },
    );
  });
});

describe('a shared network that is named', () => {
  it('counts, whatever stands on others; one that is not ours is fatal, and the error says which there are', async () => {
    const networks = ['a-transit', 'b-transit'];
    const name = `${harbour.space.id}p`;
    const env = { ANCHORD_PROJECT: name, ANCHORD_SHARED_NETWORK: `${name}_b-transit` };
    await using stack = await project(
      {
        services: {
          anchord: await anchor(51, env, networks),
          wrong: await anchor(52, { ...env, ANCHORD_SHARED_NETWORK: 'elsewhere' }, networks),
          first: exposing('tcp/80', {}, ['a-transit']),
          second: exposing('tcp/81', {}, ['a-transit']),
          pinned: exposing('tcp/82', {}, networks),
        },
        networks: Object.fromEntries(networks.map((network) => [network, { internal: true }])),
      },
      'p',
    );
    await stack.up();
    const address = await addressOf(stack, 'pinned', `${name}_b-transit`);
    const map = await waitFor(
      'the one on the pinned network',
      async () => {
        const text = await mapOf(stack, 'anchord');
        return text.includes(address) && text;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    expect(map.match(/\d+ : [\d.]+/g)).toEqual([`82 : ${address}`]);
    const fatal = await logged(stack, 'wrong', 'fatal');
    expect(fatal['err']).toContain('ANCHORD_SHARED_NETWORK="elsewhere" not present on self');
    expect(fatal['err']).toContain(`${name}_b-transit`);
    expect(await stack.inspect('wrong', '{{.State.ExitCode}}')).toBe('1');
  });
});

describe('one port, two containers', () => {
  it('stays with its holder, is told in log and readiness, and goes to the other when the holder goes', async () => {
    const name = `${harbour.space.id}c`;
    await using stack = await project(
      {
        services: {
          anchord: await anchor(48, { ANCHORD_PROJECT: name }),
          holder: exposing('tcp/80'),
          rival: exposing('tcp/80,tcp/81'),
        },
      },
      'c',
    );
    await stack.up('anchord', 'holder');
    const network = `${name}_transit`;
    const holder = await addressOf(stack, 'holder', network);
    await waitFor(
      'the holder in the map',
      async () => (await mapOf(stack, 'anchord')).includes(`80 : ${holder}`),
      {
        timeoutMs: 60_000,
      },
    );
    await stack.up('rival');
    const line = await logged(stack, 'anchord', 'port conflict');
    expect(line).toMatchObject({
      level: 'ERROR',
      key: 'v4/tcp/80',
      holder: `${name}-holder-1`,
      refused: [`${name}-rival-1`],
    });
    expect(await stack.exec('anchord', 'anchord', 'health')).toContain('error: port-conflict: v4/tcp/80');
    const rival = await addressOf(stack, 'rival', network);
    const map = await waitFor(
      'the other port of the rival in the map',
      async () => {
        const text = await mapOf(stack, 'anchord');
        return text.includes(`81 : ${rival}`) && text;
      },
      { timeoutMs: 60_000 },
    );
    expect(map).toContain(`80 : ${holder}`);
    await stack.run('stop', 'holder');
    await waitFor(
      'the rival in the map',
      async () => (await mapOf(stack, 'anchord')).includes(`80 : ${rival}`),
      {
        timeoutMs: 60_000,
      },
    );
    await logged(stack, 'anchord', 'port conflict solved');
  });

  it('names a label that can not be read, and one that nobody can reach', async () => {
    const name = `${harbour.space.id}l`;
    await using stack = await project(
      {
        services: {
          anchord: await anchor(49, { ANCHORD_PROJECT: name }),
          wrong: exposing('tcp/http'),
          alone: exposing('tcp/81', {}, ['elsewhere']),
        },
        networks: { elsewhere: {} },
      },
      'l',
    );
    await stack.up();
    const invalid = await logged(stack, 'anchord', 'invalid expose labels');
    expect(invalid['err']).toBe('anchord.expose "tcp/http": invalid dmz port "http": not a 16-bit integer');
    const unreachable = await logged(stack, 'anchord', 'no usable IP for container');
    expect(unreachable).toMatchObject({ container: `${name}-alone-1`, shared_network: `${name}_transit` });
    // Looked at many times since, and said once.
    await waitFor(
      'three polls',
      async () => (await stack.exec('anchord', 'anchord', 'health')).includes('no-address'),
      { timeoutMs: 60_000 },
    );
    expect((await stack.logs('anchord')).filter(({ msg }) => msg === 'invalid expose labels')).toHaveLength(
      1,
    );
  });
});

describe('a stack of somebody else, wrapped from outside', () => {
  let name: string;
  let theirs: ComposeProject;
  let ours: ComposeProject;
  let gateway: string;

  beforeAll(async () => {
    name = `${harbour.space.id}w`;
    const bridge = harbour.space.name('wrap-transit');
    const subnet = '172.31.77.0/24';
    gateway = '172.31.77.250';
    await harbour.host.docker(
      'network',
      'create',
      '--internal',
      '--subnet',
      subnet,
      ...harbour.space.labelled,
      bridge,
    );
    theirs = await ComposeProject.create(
      harbour.space,
      {
        services: {
          web: {
            image: 'berth-lab/echo',
            command: ['80/tcp'],
            container_name: `${name}-web`,
            labels: { 'anchord.expose': 'tcp/80' },
            networks: { default: {}, bridge: {} },
            stop_grace_period: '1s',
          },
        },
        networks: { bridge: { name: bridge, external: true } },
      },
      name,
    );
    await theirs.up();
    const one = await anchor(50, { ANCHORD_PROJECT: name }, []);
    ours = await ComposeProject.create(
      harbour.space,
      {
        services: {
          anchord: { ...one, networks: { ...one.networks, bridge: { ipv4_address: gateway } } },
          'web-anchor': {
            image: await anchordImage(harbour.host, say),
            command: ['service-anchor'],
            cap_add: ['NET_ADMIN'],
            network_mode: `container:${name}-web`,
            environment: { ANCHORD_GATEWAY_IP: gateway },
          },
        },
        networks: { lan: { name: harbour.lan, external: true }, bridge: { name: bridge, external: true } },
      },
      `${name}r`,
    );
  });
  afterAll(async () => {
    await ours?.[Symbol.asyncDispose]();
    await theirs?.[Symbol.asyncDispose]();
  });

  /** The default route inside of the wrapped container: it has no tools of its own. */
  const defaultRoute = async () => {
    const pid = Number(await theirs.inspect('web', '{{.State.Pid}}'));
    return await harbour.host.must(['nsenter', `--target=${pid}`, '--net', 'ip', 'route', 'show', 'default']);
  };
  let original: string;

  it('is reached from the LAN, with real client addresses, and goes out by its LAN address', async () => {
    original = await defaultRoute();
    await ours.up();
    const greeting = await harbour.reach(4, { host: 50, port: 80 });
    expect(greeting.source).toBe(harbour.clientAddress(4));
    expect(await defaultRoute()).toContain(`via ${gateway}`);
  });

  it('has its own default route back at the end of its service-anchor', async () => {
    await harbour.host.docker('stop', await ours.containerOf('web-anchor'));
    expect(await defaultRoute()).toBe(original);
    expect(await ours.inspect('web-anchor', '{{.State.ExitCode}}')).toBe('0');
    await logged(ours, 'web-anchor', 'restored original default route on shutdown');
  });

  it('has it back, too, when the service-anchor was killed hard before, and ran again', async () => {
    await ours.up('web-anchor');
    await waitFor('our route', async () => (await defaultRoute()).includes(gateway), { timeoutMs: 60_000 });
    await ours.run('kill', '--signal', 'KILL', 'web-anchor');
    expect(await defaultRoute()).toContain(gateway);
    await ours.up('web-anchor');
    await logged(
      ours,
      'web-anchor',
      'default route of an earlier run found; keeping the original it replaced',
    );
    await harbour.host.docker('stop', await ours.containerOf('web-anchor'));
    expect(await defaultRoute()).toBe(original);
  });
});
