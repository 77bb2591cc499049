/** Makes a host: its namespaces, what it sees of the machine, and (in engine.ts) its Docker engine. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lan } from '../network/lan.ts';
import { plugIn } from '../network/lan.ts';
import { addNamespace, inNamespace } from '../network/namespace.ts';
import { numberOf } from '../spec.ts';
import type { Argv } from '../tools/run.ts';
import { must } from '../tools/run.ts';
import { waitFor } from '../tools/wait.ts';
import { type Host, lanLink } from './host.ts';

/** `mortal`: the host dies with us, even if we are killed. Otherwise it stays until somebody takes it down. */
export interface HostLife {
  readonly mortal: boolean;
}

export async function startHost(host: Host, lan: Lan, life: HostLife): Promise<void> {
  await mkdir(host.runFolder, { recursive: true });
  await mkdir(host.stateFolder, { recursive: true });
  await addNamespace(host.namespace);
  await plugIn(lan, host.name, lanLink, lan.plan.host(numberOf(host.name)));
  await startInit(host, life);
  await arrangeMounts(host, lan);
}

/**
 * The host's first process. It only waits and collects orphans; when it dies, the kernel ends everything else on the
 * host and takes back the mounts. That is what makes a lab easy to remove whatever happened to it.
 */
async function startInit(host: Host, { mortal }: HostLife): Promise<void> {
  const [command, ...args] = [
    ...(mortal ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...inNamespace(host.namespace, [
      ...(['unshare', '--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--'] as const),
      ...['tini', '--', 'sleep', 'infinity'],
    ]),
  ] as [string, ...string[]];
  const child = spawn(command, args, { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
  await waitFor(`the first process of ${host.name}`, () => host.findInit(), { timeoutMs: 5000, everyMs: 2 });
}

async function arrangeMounts(host: Host, lan: Lan): Promise<void> {
  const etc = join(host.stateFolder, 'etc');
  const etcWork = join(host.stateFolder, 'etc-work');
  const keep = '/run/.cgroup';
  await mkdir(etc, { recursive: true });
  await mkdir(etcWork, { recursive: true });
  await mkdir(join(host.runFolder, '.cgroup'), { recursive: true });
  await writeFile(join(etc, 'hostname'), `${host.name}\n`);
  await writeFile(
    join(etc, 'hosts'),
    `127.0.0.1 localhost\n::1 localhost\n${host.addresses.v4} ${host.name}\n`,
  );
  // A plain file up here also replaces a symbolic link of the machine's that leads to its own resolver.
  await writeFile(join(etc, 'resolv.conf'), `nameserver ${lan.plan.v4(lan.plan.router)}\nsearch lan\n`);

  const steps: readonly Argv[] = [
    // Nothing that the machine mounts or unmounts gets in here, and nothing of ours gets out.
    ['mount', '--make-rprivate', '/'],
    // The machine's named namespaces would stay alive for as long as our copy of their mounts does.
    ...(await mountsBelow('/run/', host)).map((path): Argv => ['umount', '--lazy', path]),
    ['mount', '--bind', host.runFolder, '/run'],
    ['mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=/etc,upperdir=${etc},workdir=${etcWork}`, '/etc'],
    ['mount', '-t', 'proc', 'proc', '/proc'],
    // /sys has to be this network namespace's own, and hides the control groups until they are put back.
    ['mount', '--rbind', '/sys/fs/cgroup', keep],
    ['mount', '-t', 'sysfs', 'sysfs', '/sys'],
    ['mount', '--move', keep, '/sys/fs/cgroup'],
    // From here on as on any host: what is mounted later is seen by engine and containers.
    ['mount', '--make-rshared', '/'],
    ['hostname', host.name],
  ];
  for (const step of steps) await must(host.argv(step));
}

async function mountsBelow(prefix: string, host: Host): Promise<string[]> {
  const mounts = await readFile(`/proc/${host.init}/mountinfo`, 'utf8');
  return mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(prefix))
    .reverse();
}
