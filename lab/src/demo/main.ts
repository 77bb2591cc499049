/**
 * `npm start`: a Compose project gets one address of its own on a LAN by DHCP, clients on that LAN and beyond its router talk to
 * its services, and the services print the clients' real addresses; then docker-backend rents a container to a tenant, updates it,
 * takes a bad update back, and closes the lease. All of it in a lab: your own Docker engine, routes and tables stay as they are.
 *
 *   npm start               shows it, then stays until Ctrl-C and cleans up
 *   npm start -- --once     shows it, cleans up and ends with 0
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { lanLink } from '../host/host.ts';
import { anchordImage } from '../images/anchord.ts';
import { echo } from '../images/echo.ts';
import { ensureImage } from '../images/image.ts';
import type { Lab } from '../lab.ts';
import { defaultLabName, labName } from '../names.ts';
import { defaultSpec, type EngineVersion } from '../spec.ts';
import { bringUp, removeOrphans, takeDown } from '../up.ts';
import { Project, untilItWorks } from './project.ts';
import { rentalChapters, showRental } from './rental.ts';
import { type Stage, stageOn } from './stage.ts';

const usage = `Shows a Compose project getting its own address on a LAN, and a lease from its request to its end.

  npm start                      show it, then stay until Ctrl-C
  npm start -- --once            show it, clean up and end
  npm start -- --engine 26       on Docker engine 26 instead of 20.10

The lab (a Docker engine, a LAN with a DHCP server, clients) lives in network namespaces of its own and is removed at the end.
`;

async function show(lab: Lab, stage: Stage): Promise<void> {
  const host = lab.host();
  const [neighbour, stranger] = [lab.client('client1'), lab.client('inet')];

  stage.chapter('The images: anchord, and a service that says whom it sees');
  await ensureImage(host, echo(), stage.say);
  const project = new Project(host, await anchordImage(host, stage.say));

  stage.chapter('docker compose up: anchord, a mail service, a name server');
  // What the guide asks of a host: bridged packets stay out of its packet filter.
  await host.must([
    'sysctl',
    '-w',
    'net.bridge.bridge-nf-call-iptables=0',
    'net.bridge.bridge-nf-call-ip6tables=0',
  ]);
  const { v4, v6 } = lab.spec.lan;
  await host.docker(
    ...['network', 'create', '--driver', 'macvlan', '--opt', `parent=${lanLink}`, '--ipv6'],
    ...['--subnet', v4, '--gateway', lab.lan.plan.v4(1), '--ip-range', `${lab.lan.plan.v4(64)}/27`],
    ...['--subnet', v6, '--gateway', lab.lan.plan.v6(1), 'lan'],
  );
  await project.compose('up', '--detach');

  stage.chapter('One address for the project, by DHCP');
  const lease = await project.logged('anchord', 'dhcp v4 lease acquired');
  const address = String(lease['ip']);
  stage.show(
    `the LAN's DHCP server (${String(lease['server'])}) leased ${address} to the host name "harbour"`,
  );

  const lease6 = await project.logged('anchord', 'dhcp v6 lease acquired');
  const address6 = String([lease6['addrs']].flat()[0]).replace(/\/.*/, '');
  stage.show(`and ${address6} in IPv6`);

  stage.chapter('Clients talk to it, and the services see who they are');
  const mail = await untilItWorks('reaching the mail service', () =>
    neighbour.greetTcp({ host: address, port: 25 }),
  );
  stage.show(
    `${neighbour.name} ${neighbour.v4} → ${address}:25/tcp   mail says: you are ${mail.result.source}`,
  );
  expectSource(mail.result.source, neighbour.v4);
  const mail6 = await untilItWorks('reaching the mail service in IPv6', () =>
    neighbour.greetTcp({ host: address6, port: 25 }),
  );
  stage.show(
    `${neighbour.name} ${neighbour.v6} → [${address6}]:25/tcp   mail says: you are ${mail6.result.source}`,
  );
  expectSource(mail6.result.source, neighbour.v6);
  const far = await stranger.greetTcp({ host: address, port: 143 });
  stage.show(
    `${stranger.name} ${stranger.v4} → ${address}:143/tcp  mail says: you are ${far.source} (beyond the router)`,
  );
  expectSource(far.source, stranger.v4);
  const dns = await untilItWorks('reaching the name server', () =>
    neighbour.greetUdp({ host: address, port: 53 }),
  );
  stage.show(
    `${neighbour.name} ${neighbour.v4} → ${address}:53/udp   dns says: you are ${dns.result.source} (on its own port ${dns.result.port})`,
  );
  expectSource(dns.result.source, neighbour.v4);

  stage.chapter('A container is re-created, and the address stays');
  await project.compose('up', '--detach', '--force-recreate', '--no-deps', 'mail-anchor', 'mail');
  const again = await untilItWorks('reaching the new mail service', () =>
    neighbour.greetTcp({ host: address, port: 25, timeoutMs: 1000 }),
  );
  stage.show(
    `reached again ${again.tookMs} ms after docker compose was done; mail says: you are ${again.result.source}`,
  );
  expectSource(again.result.source, neighbour.v4);

  await showRental(host, neighbour, stage);
}

function expectSource(seen: string, real: string): void {
  if (seen !== real) throw new Error(`the service saw ${seen} and not the client's own address ${real}`);
}

interface Wishes {
  readonly once: boolean;
  readonly engine: EngineVersion;
}

/** What the command line asks for, or with which text and exit code to end. */
function readWishes(args: readonly string[]): Wishes | { readonly text: string; readonly code: 0 | 2 } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        engine: { type: 'string', default: '20.10' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { once, engine } = values;
    if (values.help) return { text: usage, code: 0 };
    if (engine === '20.10' || engine === '26') return { once, engine };
    return { text: `there is no engine ${engine}: 20.10 or 26\n\n${usage}`, code: 2 };
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, code: 2 };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wishes = readWishes(args);
  if ('text' in wishes) {
    (wishes.code === 0 ? process.stdout : process.stderr).write(wishes.text);
    return wishes.code;
  }
  const { engine } = wishes;
  const stage = stageOn(process.stdout, 7 + rentalChapters);
  const name = labName(`${defaultLabName()}-demo`);

  let told: NodeJS.Signals | undefined;
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (told === undefined) process.stdout.write('\ncleaning up ...\n');
      told ??= signal;
      asked.abort();
    });
  }

  stage.chapter('A Docker host on a LAN, in namespaces of its own');
  await removeOrphans(stage.say);
  const showing = bringUp(
    name,
    { ...defaultSpec, hosts: [{ name: 'host1', engine }] },
    { say: stage.say, owned: true },
  ).then(async (lab) => {
    asked.signal.throwIfAborted();
    await show(lab, stage);
    return lab;
  });
  try {
    await Promise.race([showing, aborted(asked.signal)]);
    stage.chapter('That is all');
    if (!wishes.once) {
      stage.say(`look around: BERTH_LAB=${name} npm run lab -- shell client1   (or host1, lan)`);
      stage.say('Ctrl-C cleans up');
      if (!asked.signal.aborted) await once(asked.signal, 'abort');
    }
    return 0;
  } catch (error) {
    if (asked.signal.aborted) return 130;
    process.stderr.write(`\nthe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    showing.catch(() => undefined);
    await takeDown(name, stage.say);
    stage.say('cleaned up');
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

process.exitCode = await main(process.argv.slice(2));
