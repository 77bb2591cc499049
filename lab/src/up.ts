/** Brings a lab up, or finishes and mends one that is there. */
import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Description, labNames, readDescription, writeDescription } from './description.ts';
import { removeAll } from './down.ts';
import { labErrors } from './errors.ts';
import { engineAnswers, startEngine } from './host/engine.ts';
import type { Host } from './host/host.ts';
import { isWhole, startHost } from './host/start.ts';
import { busybox } from './images/busybox.ts';
import { ensureImage } from './images/image.ts';
import { Lab } from './lab.ts';
import { prepareMachine } from './machine.ts';
import { type LabName, namespaceName } from './names.ts';
import { dhcpIsServed, serveDhcp } from './network/dhcp-server.ts';
import { findInit, startInit } from './network/init.ts';
import { makeClient, makeInternet, makeLan } from './network/lan.ts';
import { namespaceNames, namespacePathOf, removeLink, removeNamespace } from './network/namespace.ts';
import type { LabSpec } from './spec.ts';
import { cacheFolder } from './tools/cache.ts';
import { withLock } from './tools/lock.ts';
import { isAlive, namespaceId, recordOf } from './tools/proc.ts';

export interface UpOptions {
  readonly say: (line: string) => void;
  /** The lab belongs to this process: it dies with it, and the next run removes what is left. */
  readonly owned?: boolean;
}

/** Namespaces, mounts and engines are root's business. */
function assertRoot(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) return;
  const user = process.getuid?.() ?? 'unknown';
  throw labErrors.error('NEEDS_ROOT', `this is ${process.platform}, and the user is number ${user}`);
}

/** What lies below these folders disappears behind the host's own while a host is being made. */
function assertCacheIsSeen(): void {
  const folder = cacheFolder();
  if (/^\/(usr|etc|run|proc|sys)\//.test(`${folder}/`))
    throw labErrors.error(
      'BAD_SPEC',
      `${folder} is in a folder that lab hosts have of their own; BERTH_CACHE can name another one`,
    );
}

const lockOf = (lab: LabName): string => `lab ${lab}`;

export async function bringUp(name: LabName, spec: LabSpec, options: UpOptions): Promise<Lab> {
  const { say } = options;
  assertRoot();
  assertCacheIsSeen();
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
      if (await removeAll(name)) say(`removed what an earlier run left of the lab ${name}`);
      return make(name, spec, options);
    },
    () => say(`waiting for another run that is changing the lab ${name}`),
  );
}

function isUsable(name: LabName, found: Description): boolean {
  const { owner } = found;
  // Without its LAN there is nothing to mend: the machine was started anew.
  const stands = found.complete && namespaceId(namespacePathOf(namespaceName(name, 'lan'))) !== undefined;
  if (owner === undefined) return stands;
  if (isAlive(owner) && owner.pid !== process.pid)
    throw labErrors.error(
      'IN_USE',
      `the lab ${name} belongs to process ${owner.pid}, which is still running`,
    );
  return stands && isAlive(owner);
}

async function make(name: LabName, spec: LabSpec, { say, owned = false }: UpOptions): Promise<Lab> {
  const lab = new Lab(name, spec);
  const owner = owned ? recordOf(process.pid) : undefined;
  const description = { spec, ...(owner === undefined ? {} : { owner }) };
  await writeDescription(name, { ...description, complete: false });
  say(`${name}: making the LAN ${spec.lan.v4}, ${spec.lan.v6}`);
  await makeLan(lab.lan, { mortal: owned });
  for (const client of lab.clientNames) await makeClient(lab.lan, client);
  if (spec.internet) await makeInternet(lab.lan);
  await mend(lab, owned, say);
  await writeDescription(name, { ...description, complete: true });
  return lab;
}

/** Starts what is not running. */
async function mend(lab: Lab, mortal: boolean, say: (line: string) => void): Promise<Lab> {
  const { dhcp } = lab.spec.lan;
  if (findInit(lab.lan.namespace) === undefined) await startInit(lab.lan.namespace, { mortal });
  if (dhcp !== false && !dhcpIsServed(lab.lan)) await serveDhcp(lab.lan, dhcp);
  // One after another: two engines that start together take longer on few cores.
  for (const host of lab.hosts) await mendHost(lab, host, mortal, say);
  return lab;
}

async function mendHost(lab: Lab, host: Host, mortal: boolean, say: (line: string) => void): Promise<void> {
  if (!isWhole(host)) {
    if (namespaceNames().includes(host.namespace)) await removeHost(lab, host, say);
    await startHost(host, lab.lan, { mortal }, say);
  }
  if (!(await engineAnswers(host))) {
    say(`${lab.name}: starting Docker engine ${host.engine} on ${host.name}`);
    await startEngine(host);
  }
  await ensureImage(host, busybox, say);
}

/** A host whose first process was killed, or that was never finished: its namespace is still there, and its cable. */
async function removeHost({ name: lab, lan }: Lab, host: Host, say: (line: string) => void): Promise<void> {
  say(`${lab}: ${host.name} had died; making it anew`);
  await removeLink(lan.namespace, host.name);
  await removeNamespace(host.namespace);
  // As after any boot: nothing of before is in /run.
  await rm(host.runFolder, { recursive: true, force: true });
}

/** Mends the lab as it was described when it was made; undefined if there is none that can be used. */
export async function mendLab(name: LabName, say: (line: string) => void): Promise<Lab | undefined> {
  const found = await readDescription(name);
  if (found === undefined || found === 'unreadable' || !found.complete || found.owner !== undefined)
    return undefined;
  return bringUp(name, found.spec, { say });
}

/** Takes the lab down; true if there was one. */
export async function takeDown(name: LabName, say: (line: string) => void): Promise<boolean> {
  assertRoot();
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
