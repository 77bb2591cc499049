/** Starts and ends the LAN's dnsmasq. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { labErrors } from '../errors.ts';
import type { DhcpSpec } from '../spec.ts';
import { commandLine, kill, namespaceId, processesIn } from '../tools/proc.ts';
import { waitFor } from '../tools/wait.ts';
import { dnsmasqCommand } from './dnsmasq.ts';
import { findInit } from './init.ts';
import type { Lan } from './lan.ts';
import { namespacePathOf } from './namespace.ts';

/** From here on the LAN's server answers on these terms; one that runs is replaced, and its leases stay known. */
export async function serveDhcp(lan: Lan, dhcp: DhcpSpec): Promise<void> {
  await silenceDhcp(lan);
  const init = findInit(lan.namespace);
  if (init === undefined) throw labErrors.error('NOT_UP', `the LAN of ${lan.lab} is not up`);
  await mkdir(dirname(lan.logFile), { recursive: true });
  await rm(lan.logFile, { force: true });
  const output = openSync(`${lan.logFile}.start`, 'w');
  // In the process namespace of the LAN: the server ends with the LAN, whoever started it.
  const place = [`--target=${init}`, '--net', '--pid', '--'];
  const child = spawn('nsenter', [...place, ...dnsmasqCommand(lan, dhcp)], {
    detached: true,
    stdio: ['ignore', output, output],
  });
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
      if (ended) {
        const said = await readFile(`${lan.logFile}.start`, 'utf8');
        throw labErrors.error('TOOL_FAILED', `dnsmasq ended at once: ${said.trim()}`);
      }
      return (await log(lan)).includes(': started, version');
    },
    { timeoutMs: 60_000, everyMs: 5 },
  );
}

const log = (lan: Lan): Promise<string> => readFile(lan.logFile, 'utf8').catch(() => '');

function dhcpServers(lan: Lan): number[] {
  const id = namespaceId(namespacePathOf(lan.namespace));
  if (id === undefined) return [];
  return processesIn(id).filter((pid) => commandLine(pid).startsWith('dnsmasq '));
}

export const dhcpIsServed = (lan: Lan): boolean => dhcpServers(lan).length > 0;

/** From here on nobody answers. */
export async function silenceDhcp(lan: Lan): Promise<void> {
  await waitFor(
    'the end of the LAN’s dnsmasq',
    () => {
      const left = dhcpServers(lan);
      for (const pid of left) kill(pid);
      return left.length === 0;
    },
    { timeoutMs: 60_000, everyMs: 5 },
  );
}
