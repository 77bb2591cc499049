/** The doctor on a real engine: each fault is made for real and found, and mended where it says that it can. */
import { anchordImage } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose } from '../src/doctor.ts';
import { filterBridges, Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let stack: ComposeProject;

beforeAll(async () => {
  harbour = await Harbour.open();
  // What an anchor would repair by itself is to be found, and mended, by the doctor here.
  stack = await harbour.stack({ host: 58, number: 40, env: { ANCHORD_AUTOFIX_DEAD_NETNS: 'false' } });
  await stack.up();
  // A service-anchor finds its gateways one family after the other.
  for (const family of [4, 6] as const) await harbour.reach(family, { host: 58 });
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const inContainer = async (service: string): Promise<readonly string[]> => [
  'docker',
  'exec',
  await stack.containerOf(service),
  'anchord',
];
const doctor = async (service: string, ...args: readonly string[]) =>
  await diagnose(harbour.host, await inContainer(service), ...args);
const only = (...codes: readonly string[]): readonly string[] => codes.flatMap((code) => ['--only', code]);

/** As the operator sees it. */
async function text(service: string, ...args: readonly string[]) {
  const [command = '', ...rest] = await inContainer(service);
  return await harbour.host.exec([command, ...rest, 'doctor', 'all', ...args]);
}

/** The whole anchor stands still meanwhile, so that it repairs nothing by itself. */
async function frozen<T>(service: string, work: () => Promise<T>): Promise<T> {
  const id = await stack.containerOf(service);
  await harbour.host.docker('kill', '--signal', 'STOP', id);
  try {
    return await work();
  } finally {
    await harbour.host.docker('kill', '--signal', 'CONT', id);
  }
}

async function oneShot(): Promise<readonly string[]> {
  const image = await anchordImage(harbour.host, () => undefined);
  const socket = '/var/run/docker.sock:/var/run/docker.sock';
  return ['docker', 'run', '--rm', ...harbour.space.labelled, '--volume', socket, image];
}

describe('on a healthy stack', () => {
  it.each(['anchord', 'smtp-anchor'])('finds nothing wrong with %s', async (service) => {
    const found = await doctor(service);
    expect(found.checks.filter(({ outcome }) => outcome === 'problem' || outcome === 'unknown')).toEqual([]);
    expect(found.exitCode).toBe(0);
    expect(found.role).toBe(service === 'anchord' ? 'network-anchor' : 'service-anchor');
  });

  it('looks at everything that a network-anchor rests on', async () => {
    const { codes } = await doctor('anchord');
    expect(codes('fine')).toEqual(
      expect.arrayContaining([
        'docker-unreachable',
        'docker-permission',
        'event-stream',
        'clock',
        'process-silent',
        'external-network',
        'external-interface',
        'no-external-address',
        'gateway-silent',
        'default-route',
        'forwarding-off',
        'tables-differ',
        'half-done-repair',
        'port-conflict',
        'bridge-netfilter',
        'no-return-route',
        'nobody-listens',
        'dead-namespace',
        'stale-network',
      ]),
    );
  });

  it('says so on a screen of 80 columns, without colours', async () => {
    const { code, stdout, stderr } = await text('anchord');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^The network-anchor in this container\n\nok {7}Docker answers: /);
    expect(stdout).toMatch(/\n\d+ fine, 0 problems, \d+ do(es)? not apply here\.\n$/);
    expect(stdout).not.toContain('\x1b');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('sees as much as Docker shows from a container of its own', async () => {
    const found = await diagnose(harbour.host, await oneShot());
    expect([found.exitCode, found.role]).toEqual([0, 'outside']);
    expect(found.codes('fine')).toEqual([
      'docker-unreachable',
      'docker-permission',
      'event-stream',
      'clock',
      'half-done-repair',
      'dead-namespace',
      'stale-network',
    ]);
  });

  it('ends with 3 where nothing can be checked, and with 2 where it is not understood', async () => {
    const image = await anchordImage(harbour.host, () => undefined);
    const alone = await diagnose(harbour.host, ['docker', 'run', '--rm', image]);
    expect([alone.exitCode, alone.codes('problem')]).toEqual([3, []]);
    expect((await text('anchord', '--dry-run')).code).toBe(2);
    expect((await text('anchord', '--fxi')).code).toBe(2);
  });
});

describe('an anchor that stands still', () => {
  it('is silent; its tables are found wrong without its help, and written', async () => {
    await frozen('anchord', async () => {
      await stack.exec('anchord', 'nft', 'delete', 'table', 'ip', 'anchord_v4');
      await stack.exec(
        'anchord',
        'nft',
        'add',
        'element',
        'ip6',
        'anchord_v6',
        'dnat_tcp',
        '{ 99 : fd30::99 }',
      );
      const checks = only('tables-differ', 'process-silent');
      const found = await doctor('anchord', ...checks);
      expect([found.exitCode, found.codes('problem')]).toEqual([1, ['process-silent', 'tables-differ']]);
      expect(found.of('process-silent')).toMatchObject([
        { detail: 'process 1 was stopped by a signal; SIGCONT lets it go on' },
      ]);
      expect(found.of('tables-differ')[0]?.detail).toMatch(
        /add-table ip anchord_v4.*|.*ip6 anchord_v6 dnat_tcp/,
      );
      expect(found.of('tables-differ')[0]?.fix).toContain('anchord_v4');

      const dry = await text('anchord', ...checks, '--fix', '--dry-run');
      expect(dry.stdout).toMatch(/^would write the tables anchord_v4 and anchord_v6/);
      const fixed = await doctor('anchord', ...checks, '--fix');
      expect(fixed.said).toContain('write the tables anchord_v4 and anchord_v6 as they should be: done');
      expect(fixed.codes('problem')).toEqual(['process-silent']);
      expect(fixed.codes('fine')).toEqual(['tables-differ']);
      // Also with the anchor out of action: that is what the kernel is for.
      await harbour.reach(4, { host: 58 });
    });
  });

  it.each(['anchord', 'smtp-anchor'])('has its default route found missing, and set: %s', async (service) => {
    await frozen(service, async () => {
      await stack.exec(service, 'ip', 'route', 'delete', 'default');
      const found = await doctor(service, ...only('default-route'));
      expect([found.exitCode, found.of('default-route')]).toMatchObject([
        1,
        [{ subject: 'v4', detail: expect.stringMatching(/^should lead to \S+, but there is none$/) }],
      ]);
      const fixed = await doctor(service, ...only('default-route'), '--fix');
      expect([fixed.exitCode, fixed.codes('fine')]).toEqual([0, ['default-route']]);
    });
    await harbour.reach(4, { host: 58, from: 'inet' });
  });
});

describe('an engine that cannot be reached', () => {
  it('is one problem inside of an anchor, and what rests on it is unknown', async () => {
    const id = await stack.containerOf('anchord');
    const argv = ['docker', 'exec', '--env', 'DOCKER_HOST=unix:///run/nobody.sock', id, 'anchord'];
    const found = await diagnose(harbour.host, argv);
    expect([found.exitCode, found.role, found.codes('problem')]).toEqual([
      1,
      'network-anchor',
      ['docker-unreachable'],
    ]);
    expect(found.of('docker-unreachable')).toMatchObject([{ subject: 'unix:///run/nobody.sock' }]);
    expect(found.codes('unknown')).toEqual(
      expect.arrayContaining(['event-stream', 'clock', 'dead-namespace', 'stale-network']),
    );
    expect(found.codes('fine')).toEqual(expect.arrayContaining(['default-route', 'forwarding-off']));
  });
});

describe('backends', () => {
  it('behind which nobody listens are found', async () => {
    await stack.run('stop', '--timeout', '1', 'smtp');
    const found = await doctor('anchord', ...only('nobody-listens'));
    expect(found.exitCode).toBe(1);
    expect(found.of('nobody-listens').map(({ subject }) => subject)).toEqual(['v4/tcp/25', 'v6/tcp/25']);
    await stack.run('start', 'smtp');
    await harbour.reach(4, { host: 58 });
    expect((await doctor('anchord', ...only('nobody-listens'))).exitCode).toBe(0);
  });

  it('that the host cuts off are found, with what to do on the host', async () => {
    await filterBridges(harbour.host, true);
    try {
      const found = await doctor('anchord', ...only('bridge-netfilter'));
      expect(found.exitCode).toBe(1);
      expect(found.of('bridge-netfilter')[0]?.remedy).toContain('net.bridge.bridge-nf-call-iptables=0');
    } finally {
      await filterBridges(harbour.host, false);
    }
    expect((await doctor('anchord', ...only('bridge-netfilter'))).exitCode).toBe(0);
  });

  it('without a way back are found', async () => {
    await frozen('smtp-anchor', async () => {
      await stack.exec('smtp-anchor', 'ip', 'route', 'delete', 'default');
      const found = await doctor('anchord', ...only('no-return-route', 'bridge-netfilter'));
      expect(found.codes('problem')).toEqual(['no-return-route']);
    });
    await harbour.reach(4, { host: 58 });
  });
});

describe('a container in a dead namespace', () => {
  const listening = async () => await harbour.reach(4, { host: 58 });

  it('is found when its owner was made anew, also by stale-netns, and is made anew itself', async () => {
    await stack.run('rm', '--stop', '--force', 'smtp-anchor');
    await stack.run('up', '--detach', '--no-deps', 'smtp-anchor');
    const smtp = await stack.inspect('smtp', '{{.Name}}');
    const [command = '', ...rest] = await oneShot();
    const stale = await harbour.host.exec([command, ...rest, 'doctor', 'stale-netns']);
    expect(stale.code).toBe(0);
    expect(stale.stdout).toMatch(
      /^Found 1 dependent\(s\) in dead netns across 1 target\(s\):\n\n {2}dead target: [0-9a-f]{12} {2}\(1 victim\(s\)\)\n/,
    );
    expect(stale.stdout).toContain(
      `    ${smtp.slice(1)}\n      → docker compose -p ${stack.name} up -d --no-deps --force-recreate smtp\n\n`,
    );

    const found = await doctor('anchord', ...only('dead-namespace'));
    expect([found.exitCode, found.of('dead-namespace')]).toMatchObject([
      1,
      [
        {
          subject: smtp.slice(1),
          remedy: `docker compose -p ${stack.name} up -d --no-deps --force-recreate smtp`,
          fix: expect.stringMatching(/^re-create \S+ in the network of \S+$/),
        },
      ],
    ]);
    const fixed = await doctor('anchord', ...only('dead-namespace'), '--fix');
    expect([fixed.exitCode, fixed.said]).toEqual([0, expect.stringContaining(': done\n')]);
    await listening();
  });

  it('is found when its owner was restarted in place, and restarted as well', async () => {
    await stack.run('restart', '--timeout', '1', 'smtp-anchor');
    const found = await waitFor(
      'the doctor to see it',
      async () => {
        const looked = await doctor('anchord', ...only('dead-namespace'));
        return looked.exitCode === 1 ? looked : undefined;
      },
      { timeoutMs: 60_000 },
    );
    expect(found.of('dead-namespace')[0]?.fix).toMatch(/^restart /);
    const fixed = await doctor('anchord', ...only('dead-namespace'), '--fix');
    expect([fixed.exitCode, fixed.said]).toEqual([0, expect.stringContaining(': done\n')]);
    await listening();
  });
});

describe('a container on a network that was made anew', () => {
  it('is found, and attached to the new one with what it had asked for', async () => {
    const { space, host } = harbour;
    const network = space.name('proxy');
    const make = () =>
      host.docker('network', 'create', ...space.labelled, '--subnet', '172.30.240.0/24', network);
    await make();
    const id = await space.start(
      'follower',
      ...['--network', network, '--network-alias', 'app', '--ip', '172.30.240.7'],
      'berth-lab/echo',
      '80/tcp',
    );
    await host.docker('stop', '--time', '1', id);
    await host.docker('network', 'rm', network);
    await make();
    const found = await doctor('anchord', ...only('stale-network'));
    expect(found.of('stale-network')).toMatchObject([
      { subject: space.name('follower'), detail: `is attached to an earlier network of the name ${network}` },
    ]);
    const fixed = await doctor('anchord', ...only('stale-network'), '--fix');
    expect([fixed.exitCode, fixed.said]).toEqual([0, expect.stringContaining(': done\n')]);
    await host.docker('start', id);
    const format = `{{with index .NetworkSettings.Networks "${network}"}}{{.IPAddress}} {{.Aliases}}{{end}}`;
    expect(await host.docker('inspect', '--format', format, id)).toMatch(/^172\.30\.240\.7 \[.*\bapp\b.*\]/);
  });
});

describe('an external network that is taken away', () => {
  it('is found gone, together with the interface', async () => {
    const id = await stack.containerOf('anchord');
    await harbour.host.docker('network', 'disconnect', '--force', harbour.lan, id);
    const found = await doctor(
      'anchord',
      ...only('external-network', 'external-interface', 'no-external-address'),
    );
    expect(found.exitCode).toBe(1);
    expect(found.codes('problem')).toEqual(['external-network', 'external-interface']);
    expect(found.of('external-network')).toMatchObject([{ subject: harbour.lan }]);
  });
});
