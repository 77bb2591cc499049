/** F-48 on a real engine: a follower on the network of a stack that goes down and comes up again. */
import { anchordImage } from '@berth/lab';
import { openSpace, type Space, waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeProject, stillLeaving } from '../src/compose.ts';
import { statusOf } from '../src/doctor.ts';
import { logged } from '../src/harbour.ts';

const busybox = 'berth-lab/busybox';
const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

interface Endpoint {
  readonly NetworkID: string;
  readonly IPAddress: string;
  readonly Aliases: readonly string[] | null;
  readonly IPAMConfig: { readonly IPv4Address?: string } | null;
}

let space: Space;
let image: string;
let network: string;
let peer: ComposeProject;
let own: ComposeProject;
beforeAll(async () => {
  space = await openSpace();
  image = await anchordImage(space.host, say);
  network = space.name('peer');
  peer = await ComposeProject.create(
    space,
    {
      services: Object.fromEntries(
        ['ldap', 'web'].map((name) => [
          name,
          { image: busybox, stop_grace_period: '0s', networks: { peer: {} } },
        ]),
      ),
      networks: { peer: { name: network, ipam: { config: [{ subnet: '172.29.5.0/24' }] } } },
    },
    `${space.id}p`,
  );
  await peer.up();
  const rebinder = (target: string, env: Readonly<Record<string, string>> = {}) => ({
    image,
    command: ['external-rebinder'],
    volumes: ['/var/run/docker.sock:/var/run/docker.sock'],
    environment: {
      ANCHORD_FOLLOW_NETWORK: network,
      ANCHORD_FOLLOW_TARGET: target,
      ANCHORD_FOLLOW_EVENT_BACKOFF: '500ms',
      ANCHORD_FOLLOW_POLL_INTERVAL: '2s',
      ANCHORD_LOG_LEVEL: 'debug',
      ...env,
    },
    restart: 'unless-stopped',
  });
  const follower = (endpoint: object) => ({
    image: busybox,
    stop_grace_period: '0s',
    networks: { default: {}, peer: endpoint },
  });
  own = await ComposeProject.create(
    space,
    {
      services: {
        mail: follower({ aliases: ['post'] }),
        fixed: follower({ ipv4_address: '172.29.5.200' }),
        rebinder: rebinder('mail'),
        'fixed-rebinder': rebinder('fixed', { ANCHORD_FOLLOW_RESTART: 'true' }),
      },
      networks: { peer: { name: network, external: true } },
    },
    `${space.id}o`,
  );
  await own.up();
  for (const rebinder of ['rebinder', 'fixed-rebinder'])
    await logged(own, rebinder, 'bootstrap recheck: follower already attached to current network ID');
});
afterAll(async () => {
  await own?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
  await space?.[Symbol.asyncDispose]();
});

const docker = (...args: readonly string[]) => space.host.docker(...args);
const networkId = async () =>
  (await docker('network', 'inspect', '--format', '{{.Id}}', network).catch(() => '')).trim();
const endpointOf = async (service: string): Promise<Endpoint | undefined> => {
  const networks = await own.inspect(service, '{{json .NetworkSettings.Networks}}');
  return (JSON.parse(networks) as Record<string, Endpoint>)[network];
};
const attached = async (service: string, timeoutMs = 60_000): Promise<Endpoint> =>
  await waitFor(
    `${service} on the network as it is now`,
    async () => {
      const [id, endpoint] = await Promise.all([networkId(), endpointOf(service)]);
      return id !== '' && endpoint?.NetworkID === id && endpoint.IPAddress !== '' && endpoint;
    },
    { timeoutMs, everyMs: 200 },
  );
const endOfNetwork = async (): Promise<boolean> => {
  await docker('network', 'rm', network).catch(() => undefined);
  return (await networkId()) === '';
};
/** While rebinders run: Compose may come upon a follower that is leaving at that very moment, and gives up then. */
const peerDown = async (): Promise<void> => {
  await peer.down().catch((error: unknown) => {
    if (!stillLeaving.test(String(error))) throw error;
  });
};
const theEndOfNetwork = async (): Promise<void> => {
  let members = '';
  let said = '';
  const isOver = async (): Promise<boolean> => {
    if (await endOfNetwork()) return true;
    members = await docker('network', 'inspect', '--format', '{{json .Containers}}', network).catch(String);
    const logs = await Promise.all(['rebinder', 'fixed-rebinder'].map((one) => own.logs(one)));
    said = logs.map((lines) => lines.map((line) => JSON.stringify(line)).join('\n')).join('\n\n');
    return false;
  };
  const evidence = () => `on it: ${members}\n${said}`;
  await waitFor('the end of the network', isOver, { timeoutMs: 60_000, everyMs: 100, evidence });
};
const linesOf = async (service: string, msg: string): Promise<number> =>
  (await own.logs(service)).filter((line) => line.msg === msg).length;
const again = async (service: string, msg: string, before: number): Promise<void> => {
  await waitFor(`"${msg}" once more`, async () => (await linesOf(service, msg)) > before, {
    timeoutMs: 60_000,
    everyMs: 100,
  });
};

describe('a follower on the network of a stack', () => {
  it('does not keep that stack from going down, and is back when it is up again, as it was', async () => {
    const before = await networkId();
    const fixedStart = await own.inspect('fixed', '{{.State.StartedAt}}');
    await peerDown();
    // Compose asks once; whoever asks a moment later finds nobody on it.
    await theEndOfNetwork();
    await peer.up();
    const mail = await attached('mail');
    expect(mail.NetworkID).not.toBe(before);
    expect(mail.Aliases).toEqual(expect.arrayContaining(['post', 'mail']));
    expect(mail.IPAMConfig?.IPv4Address ?? '').toBe('');
    const fixed = await attached('fixed');
    expect(fixed.IPAddress).toBe('172.29.5.200');
    await logged(own, 'rebinder', 'target stack settled; reattaching follower');
    await logged(own, 'fixed-rebinder', 'reattach: follower restarted');
    expect(await own.inspect('fixed', '{{.State.StartedAt}}')).not.toBe(fixedStart);
    const parks = (await own.logs('rebinder')).filter(({ msg }) => msg.startsWith('park: '));
    expect(parks.length).toBeGreaterThan(0);
  });

  it('does not restart it again and again because of its own restart', async () => {
    const restarts = 'reattach: follower restarted';
    const before = await linesOf('fixed-rebinder', restarts);
    await docker('restart', '--time', '0', await own.containerOf('fixed'));
    await attached('fixed');
    const polled = await linesOf('fixed-rebinder', 'target network event');
    // Something else happens on the network, and is dealt with after whatever the restart caused.
    await peer.run('restart', '--timeout', '0', 'web');
    await again('fixed-rebinder', 'target network event', polled);
    expect(await linesOf('fixed-rebinder', restarts)).toBe(before);
  });

  it('is taken off by a rebinder that starts when the owner is down already', async () => {
    await own.run('stop', '--timeout', '1', 'rebinder', 'fixed-rebinder');
    await peer.down();
    expect(await networkId()).not.toBe('');
    await own.run('start', 'rebinder', 'fixed-rebinder');
    await theEndOfNetwork();
    await peer.up();
    await attached('mail');
    await attached('fixed');
  });

  it('is not put on an empty network by a rebinder that starts, and comes back with its owner', async () => {
    await own.run('stop', '--timeout', '1', 'rebinder');
    const mail = await own.containerOf('mail');
    await docker('network', 'disconnect', '--force', network, mail);
    await peerDown();
    await peer.run('create');
    const empty = 'bootstrap recheck: target network is empty; parked until the target stack returns';
    await own.run('start', 'rebinder');
    await logged(own, 'rebinder', empty);
    expect(await endpointOf('mail')).toBeUndefined();
    const parked = async () => (await statusOf(space.host, await own.containerOf('rebinder')))['parked'];
    expect(await parked()).toBe(true);
    await peer.up();
    // It was seen there before the rebinder was started.
    expect((await attached('mail')).Aliases).toEqual(expect.arrayContaining(['mail', 'post']));
    await waitFor('the end of the parking', async () => (await parked()) === false, { timeoutMs: 60_000 });
  });

  it('is found off the network, and put back, when every event about it was missed', async () => {
    await own.run('stop', '--timeout', '1', 'rebinder');
    await docker('network', 'disconnect', '--force', network, await own.containerOf('mail'));
    await own.run('start', 'rebinder');
    await logged(own, 'rebinder', 'bootstrap recheck: divergence detected, reattaching');
    await attached('mail');
  });
});
