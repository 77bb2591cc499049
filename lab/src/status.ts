/** What there is of a lab, as a plain value and in words. */
import { readDescription } from './description.ts';
import { placesOnMachine } from './down.ts';
import { engineAnswers } from './host/engine.ts';
import { Lab } from './lab.ts';
import type { LabName } from './names.ts';
import { dhcpIsServed } from './network/dhcp-server.ts';
import { numberOf } from './spec.ts';
import { isAlive } from './tools/proc.ts';

interface HostStatus {
  readonly name: string;
  readonly engine: string;
  readonly running: boolean;
  readonly answers: boolean;
  readonly socket: string;
  readonly v4: string;
  readonly v6: string;
}

export interface LabStatus {
  readonly name: string;
  readonly state: 'up' | 'unfinished' | 'orphaned' | 'down';
  readonly namespaces: readonly string[];
  readonly hosts: readonly HostStatus[];
  readonly clients: readonly { readonly name: string; readonly v4: string; readonly v6: string }[];
  readonly dhcpServerRunning: boolean;
}

export async function statusOf(name: LabName): Promise<LabStatus> {
  const namespaces = placesOnMachine(name);
  const found = await readDescription(name);
  if (found === undefined || found === 'unreadable') {
    const state = found === undefined && namespaces.length === 0 ? 'down' : 'unfinished';
    return { name, state, namespaces, hosts: [], clients: [], dhcpServerRunning: false };
  }
  const lab = new Lab(name, found.spec);
  const { plan } = lab.lan;
  const orphaned = found.owner !== undefined && !isAlive(found.owner);
  return {
    name,
    state: orphaned ? 'orphaned' : found.complete ? 'up' : 'unfinished',
    namespaces,
    hosts: await Promise.all(
      lab.hosts.map(async (host) => ({
        name: host.name,
        engine: host.engine,
        running: host.findInit() !== undefined,
        answers: await engineAnswers(host),
        socket: host.socketPath,
        ...host.addresses,
      })),
    ),
    clients: lab.clientNames.map((client) => {
      const number = plan.client(numberOf(client));
      return { name: client, v4: plan.v4(number), v6: plan.v6(number) };
    }),
    dhcpServerRunning: dhcpIsServed(lab.lan),
  };
}

export function statusLines(status: LabStatus): string[] {
  if (status.state === 'down') return [`The lab ${status.name} is down.`];
  return [
    `The lab ${status.name} is ${status.state}.`,
    ...status.hosts.map(
      (host) =>
        `  ${host.name}  ${host.v4} ${host.v6}  Docker ${host.engine} ${host.answers ? 'answers' : 'does not answer'} at ${host.socket}`,
    ),
    ...status.clients.map((client) => `  ${client.name}  ${client.v4} ${client.v6}`),
    `  DHCP server: ${status.dhcpServerRunning ? 'running' : 'not running'}`,
    `  namespaces: ${status.namespaces.join(' ')}`,
  ];
}
