/** Makes a host: its namespaces, what it sees of the machine, and (in engine.ts) its Docker engine. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyAuthorities } from '../images/authorities.ts';
import { type Life, startInit } from '../network/init.ts';
import type { Lan } from '../network/lan.ts';
import { plugIn } from '../network/lan.ts';
import { addNamespace } from '../network/namespace.ts';
import { numberOf } from '../spec.ts';
import type { Argv } from '../tools/run.ts';
import { must, run } from '../tools/run.ts';
import { waitFor } from '../tools/wait.ts';
import { type Host, lanLink } from './host.ts';
import { userland } from './userland.ts';

export async function startHost(
  host: Host,
  lan: Lan,
  life: Life,
  say: (line: string) => void,
): Promise<void> {
  const debian = await userland(host.engine, say);
  await mkdir(host.runFolder, { recursive: true });
  await mkdir(host.stateFolder, { recursive: true });
  await addNamespace(host.namespace);
  await plugIn(lan, host.name, lanLink, lan.plan.host(numberOf(host.name)));
  await startInit(host.namespace, life, {
    parts: ['--mount', '--ipc', '--uts'],
    // Collects orphans, too. Static, so that it needs nothing of the host's own libraries.
    command: [join(debian, 'usr/bin/tini-static'), '--', 'sleep', 'infinity'],
  });
  await arrangeMounts(host, debian, lan);
  await writeFile(arranged(host), '');
}

/** Written last: a host without it may still show parts of the machine's own files, and gets no engine. */
const arranged = (host: Host): string => join(host.runFolder, '.arranged');

export const isWhole = (host: Host): boolean => host.findInit() !== undefined && existsSync(arranged(host));

async function arrangeMounts(host: Host, debian: string, lan: Lan): Promise<void> {
  const keep = '/run/.cgroup';
  await mkdir(join(host.runFolder, '.cgroup'), { recursive: true });
  const etc = await arrangeEtc(host, lan);
  const steps: readonly Argv[] = [
    ['mount', '--bind', host.runFolder, '/run'],
    ['mount', '--bind', join(debian, 'usr'), '/usr'],
    // It is kept for other hosts: nobody writes there.
    ['mount', '-o', 'remount,bind,ro', '/usr'],
    ['mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${debian}/etc,${etc}`, '/etc'],
    ['mount', '-t', 'proc', 'proc', '/proc'],
    // /sys has to be this network namespace's own, and hides the control groups until they are put back.
    ['mount', '--rbind', '/sys/fs/cgroup', keep],
    ['mount', '-t', 'sysfs', 'sysfs', '/sys'],
    ['mount', '--move', keep, '/sys/fs/cgroup'],
    // From here on as on any host: what is mounted later is seen by engine and containers.
    ['mount', '--make-rshared', '/'],
    ['hostname', host.name],
  ];
  // Nothing that the machine mounts gets in here, and nothing of ours gets out.
  await must(host.argv(['mount', '--make-rprivate', '/']));
  await letGoOfNamespaces(host);
  for (const step of steps) await must(host.argv(step));
}

/** What the host's /etc says differently from plain Debian's; hands back the options of the overlay. */
async function arrangeEtc(host: Host, lan: Lan): Promise<string> {
  const etc = join(host.stateFolder, 'etc');
  const work = join(host.stateFolder, 'etc-work');
  await mkdir(etc, { recursive: true });
  await mkdir(work, { recursive: true });
  const { v4, v6 } = host.addresses;
  await writeFile(join(etc, 'hostname'), `${host.name}\n`);
  await writeFile(
    join(etc, 'hosts'),
    `127.0.0.1 localhost\n::1 localhost\n${v4} ${host.name}\n${v6} ${host.name}\n`,
  );
  await writeFile(join(etc, 'resolv.conf'), `nameserver ${lan.plan.v4(lan.plan.router)}\nsearch lan\n`);
  await copyAuthorities(host.stateFolder);
  return `upperdir=${etc},workdir=${work}`;
}

/** The machine's named namespaces would stay alive for as long as our copy of their mounts does. */
async function letGoOfNamespaces(host: Host): Promise<void> {
  await waitFor(
    `${host.name} lets go of the machine’s namespaces`,
    async () => {
      const mounts = await mountsBelow('/run/', host);
      // One that fails went away meanwhile, with the namespace of another lab; the next look tells.
      for (const path of mounts) await run(host.argv(['umount', '--lazy', path]));
      return mounts.length === 0;
    },
    { timeoutMs: 60_000 },
  );
}

async function mountsBelow(prefix: string, host: Host): Promise<string[]> {
  const mounts = await readFile(`/proc/${host.init}/mountinfo`, 'utf8');
  return mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(prefix))
    .reverse();
}
