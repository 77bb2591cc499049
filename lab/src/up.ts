/** Brings a lab up, or finishes and mends one that is there. */
import { isDeepStrictEqual } from 'node:util';
import { type Description, labNames, readDescription, writeDescription } from './description.ts';
import { placesOnMachine, removeAll } from './down.ts';
import { labErrors } from './errors.ts';
import { engineAnswers, startEngine } from './host/engine.ts';
import type { Host } from './host/host.ts';
import { startHost } from './host/start.ts';
import { ensureBusybox } from './images/busybox.ts';
import { Lab } from './lab.ts';
import { prepareMachine } from './machine.ts';
import type { LabName } from './names.ts';
import { dhcpServers, type KnownName, startDhcpServer } from './network/dhcp-server.ts';
import { makeClient, makeInternet, makeLan } from './network/lan.ts';
import { type LabSpec, numberOf } from './spec.ts';
import { withLock } from './tools/lock.ts';
import { isAlive, recordOf } from './tools/proc.ts';

export interface UpOptions {
  readonly say: (line: string) => void;
  /** The lab belongs to this process: it dies with it, and the next run removes what is left. */
  readonly owned?: boolean;
}

const lockOf = (lab: LabName): string => `lab ${lab}`;

export async function bringUp(name: LabName, spec: LabSpec, options: UpOptions): Promise<Lab> {
  const { say } = options;
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw labErrors.error(
      'NEEDS_ROOT',
      `this is ${process.platform}, user ${process.getuid?.() ?? 'unknown'}`,
    );
  await prepareMachine(say);
  return withLock(
    lockOf(name),
    async () => {
      const found = await readDescription(name);
      if (found !== undefined && found !== 'unreadable' && isUsable(name, found)) {
        if (!isDeepStrictEqual(found.spec, spec))
          throw labErrors.error('DIFFERENT', `the lab ${name} is up with other settings`, {
            details: { is: found.spec, wanted: spec },
          });
        return mend(new Lab(name, spec), found.owner !== undefined, say);
      }
      if (found !== undefined || placesOnMachine(name).length > 0) {
        say(`removing what an earlier run left of the lab ${name}`);
        await removeAll(name);
      }
      return make(name, spec, options);
    },
    () => say(`waiting for another run that is changing the lab ${name}`),
  );
}

function isUsable(name: LabName, found: Description): boolean {
  const { owner } = found;
  if (owner === undefined) return found.complete;
  if (isAlive(owner) && owner.pid !== process.pid)
    throw labErrors.error(
      'IN_USE',
      `the lab ${name} belongs to process ${owner.pid}, which is still running`,
    );
  return found.complete && isAlive(owner);
}

async function make(name: LabName, spec: LabSpec, { say, owned = false }: UpOptions): Promise<Lab> {
  const lab = new Lab(name, spec);
  const owner = owned ? recordOf(process.pid) : undefined;
  const description = { spec, ...(owner === undefined ? {} : { owner }) };
  await writeDescription(name, { ...description, complete: false });
  say(`${name}: making the LAN ${spec.lan.v4}, ${spec.lan.v6}`);
  await makeLan(lab.lan);
  for (const client of lab.clientNames) await makeClient(lab.lan, client);
  if (spec.internet) await makeInternet(lab.lan);
  await mend(lab, owned, say);
  await writeDescription(name, { ...description, complete: true });
  return lab;
}

/** Starts what is not running. */
async function mend(lab: Lab, mortal: boolean, say: (line: string) => void): Promise<Lab> {
  const { dhcp } = lab.spec.lan;
  if (dhcp !== false && dhcpServers(lab.lan).length === 0)
    await startDhcpServer(lab.lan, dhcp, knownNames(lab), { mortal });
  // One after another: two engines that start together take longer on few cores.
  for (const host of lab.hosts) await mendHost(lab, host, mortal, say);
  return lab;
}

async function mendHost(lab: Lab, host: Host, mortal: boolean, say: (line: string) => void): Promise<void> {
  if (host.findInit() === undefined) await startHost(host, lab.lan, { mortal });
  if (!(await engineAnswers(host))) {
    say(`${lab.name}: starting Docker engine ${host.engine} on ${host.name}`);
    await startEngine(host);
  }
  await ensureBusybox(host, say);
}

function knownNames({ lan, hosts, clientNames }: Lab): KnownName[] {
  const { plan } = lan;
  return [
    { name: 'router', v4: plan.v4(plan.router), v6: plan.v6(plan.router) },
    ...hosts.map(({ name, addresses }) => ({ name, ...addresses })),
    ...clientNames.map((name) => {
      const number = plan.client(numberOf(name));
      return { name, v4: plan.v4(number), v6: plan.v6(number) };
    }),
  ];
}

/** Mends the lab as it was described when it was made; undefined if there is none that can be used. */
export async function mendLab(name: LabName, say: (line: string) => void): Promise<Lab | undefined> {
  const found = await readDescription(name);
  if (found === undefined || found === 'unreadable' || !found.complete || found.owner !== undefined)
    return undefined;
  return bringUp(name, found.spec, { say });
}

/** Takes the lab down; true if there was one. */
export function takeDown(name: LabName, say: (line: string) => void): Promise<boolean> {
  return withLock(
    lockOf(name),
    () => removeAll(name),
    () => say(`waiting for another run that is changing the lab ${name}`),
  );
}

/** Removes the labs whose owner was killed: nobody else will. */
export async function removeOrphans(say: (line: string) => void): Promise<void> {
  for (const name of await labNames()) {
    const found = await readDescription(name);
    if (found === undefined || found === 'unreadable' || found.owner === undefined) continue;
    if (isAlive(found.owner)) continue;
    say(`removing the lab ${name}, whose run was killed`);
    await takeDown(name, say);
  }
}
