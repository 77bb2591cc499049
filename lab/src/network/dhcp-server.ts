/** Starts and ends the LAN's dnsmasq. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DhcpSpec } from '../spec.ts';
import { commandLine, kill, namespaceId, processesIn } from '../tools/proc.ts';
import { waitFor } from '../tools/wait.ts';
import { dnsmasqCommand } from './dnsmasq.ts';
import type { Lan } from './lan.ts';
import { inNamespace } from './namespace.ts';

export interface ServerLife {
  /** The server dies with us, even if we are killed. */
  readonly mortal: boolean;
}

export interface KnownName {
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
}

export async function startDhcpServer(
  lan: Lan,
  dhcp: DhcpSpec,
  names: readonly KnownName[],
  { mortal }: ServerLife,
): Promise<void> {
  await mkdir(dirname(lan.logFile), { recursive: true });
  const [command, ...args] = [
    ...(mortal ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...inNamespace(
      lan.namespace,
      dnsmasqCommand({
        ...{ dhcp, names, plan: lan.plan, link: lan.bridge },
        ...{ leaseFile: lan.leaseFile, logFile: lan.logFile },
      }),
    ),
  ] as [string, ...string[]];
  const output = openSync(`${lan.logFile}.start`, 'w');
  const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  let ended = false;
  child.on('error', () => {
    ended = true;
  });
  child.on('exit', () => {
    ended = true;
  });
  child.unref();
  await waitFor(
    'the LAN’s dnsmasq',
    async () => {
      if (ended) throw new Error(`dnsmasq ended at once: ${await readFile(`${lan.logFile}.start`, 'utf8')}`);
      return (await log(lan)).includes(`dnsmasq[${child.pid}]: started`);
    },
    { timeoutMs: 5000, everyMs: 5 },
  );
}

const log = (lan: Lan): Promise<string> => readFile(lan.logFile, 'utf8').catch(() => '');

export function dhcpServers(lan: Lan): number[] {
  const id = namespaceId(`/run/netns/${lan.namespace}`);
  if (id === undefined) return [];
  return processesIn(id).filter((pid) => commandLine(pid).startsWith('dnsmasq '));
}

/** From here on nobody answers. Leases stay in their file, so that a server started again knows them. */
export async function stopDhcpServer(lan: Lan): Promise<void> {
  await waitFor(
    'the end of the LAN’s dnsmasq',
    () => {
      const left = dhcpServers(lan);
      for (const pid of left) kill(pid);
      return left.length === 0;
    },
    { timeoutMs: 5000, everyMs: 5 },
  );
}
