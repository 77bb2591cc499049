/** Takes a lab down: everything that carries its name, whether `up` finished or not. Safe to run twice. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { labErrors } from './errors.ts';
import {
  cgroupOf,
  cgroupRoot,
  type LabName,
  placeOf,
  runFolder,
  runRoot,
  stateFolder,
  stateRoot,
} from './names.ts';
import { namespaceNames, removeNamespace } from './network/namespace.ts';
import { cgroupMounts, kill } from './tools/proc.ts';
import { must, run } from './tools/run.ts';
import { waitFor } from './tools/wait.ts';

export const placesOnMachine = (lab: LabName): string[] =>
  namespaceNames().filter((name) => placeOf(lab, name) !== undefined);

/** Without the lock: `up` and `down` hold it. True if there was anything. */
export async function removeAll(lab: LabName): Promise<boolean> {
  const folders = [runFolder(lab), stateFolder(lab)].filter((folder) => existsSync(folder));
  const places = placesOnMachine(lab);
  const groups = cgroupsOf(lab);
  for (const place of places) await removeNamespace(place);
  for (const group of groups) await removeCgroup(group);
  await unmountLeftovers(folders);
  await detachLoops(lab);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  await removeIfEmpty(runRoot, stateRoot, ...cgroupMounts().map((mount) => join(mount, cgroupRoot)));
  return folders.length + places.length + groups.length > 0;
}

const cgroupsOf = (lab: LabName): string[] =>
  cgroupMounts()
    .map((mount) => join(mount, cgroupOf(lab)))
    .filter((path) => existsSync(path));

/** Ends what is still in the group and its children, and removes them from the bottom up. */
async function removeCgroup(path: string): Promise<void> {
  await waitFor(
    `the control group ${path} is empty`,
    async () => {
      for (const folder of foldersBelow(path)) {
        for (const pid of processesOf(folder)) kill(pid);
        // Busy for a moment after its last process: the next round takes it.
        await rmdir(folder).catch(() => undefined);
      }
      return !existsSync(path);
    },
    { timeoutMs: 60_000 },
  );
}

/** Children before parents. */
function foldersBelow(path: string): string[] {
  const children = existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
  return [
    ...children
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => foldersBelow(join(path, entry.name))),
    path,
  ];
}

function processesOf(cgroup: string): number[] {
  try {
    return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The kernel lets go of a device when the last mount on it is gone for good, which may be a moment after its host. */
async function detachLoops(lab: LabName): Promise<void> {
  await waitFor(
    `the loop devices of ${lab} are free`,
    async () => {
      const left = await loopsOf(lab);
      for (const name of left) await run(['losetup', '--detach', name]);
      return left.length === 0;
    },
    { timeoutMs: 60_000 },
  );
}

async function loopsOf(lab: LabName): Promise<readonly string[]> {
  const known = JSON.parse(
    (await must(['losetup', '--list', '--json', '--output', 'NAME,BACK-FILE'])) || '{}',
  ) as {
    readonly loopdevices?: readonly { readonly name: string; readonly 'back-file': string | null }[];
  };
  return (known.loopdevices ?? []).flatMap(({ name, 'back-file': file }) =>
    file?.startsWith(`${stateFolder(lab)}/`) === true ? [name] : [],
  );
}

/** The lab mounts nothing where the machine sees it; but what is mounted must never be deleted through. */
async function unmountLeftovers(folders: readonly string[]): Promise<void> {
  const below = (): string[] =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));
  for (const path of below().reverse()) await must(['umount', '--lazy', path]);
  const left = below();
  if (left.length > 0) throw labErrors.error('NOT_GONE', `still mounted: ${left.join(', ')}`);
}

async function removeIfEmpty(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(() => undefined);
}
