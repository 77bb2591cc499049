/** Every name that a lab uses on the machine, from the lab's name alone: so `down` needs no record to find it all. */
import { join } from 'node:path';
import { labErrors } from './errors.ts';

declare const labNameMark: unique symbol;
/** A checked lab name. */
export type LabName = string & { readonly [labNameMark]: true };

const usable = /^[a-z][a-z0-9-]{0,23}$/;

const isUsable = (name: string): name is LabName => usable.test(name) && !name.endsWith('-');

export function labName(name: string): LabName {
  if (!isUsable(name)) throw labErrors.error('BAD_NAME', `"${name}" cannot name a lab`);
  return name;
}

/** The name that the environment asks for, or `berth`. */
export const defaultLabName = (): LabName => labName(process.env['BERTH_LAB'] ?? 'berth');

/** Sockets, process files, descriptions: short paths, because the path of a unix socket has 107 bytes. */
export const runRoot = '/run/berth-lab';
/** What needs room and a real file system: the engines' images and containers, loop files. */
export const stateRoot = '/var/lib/berth-lab';
/** The parent of all labs' control groups, below the mount of each hierarchy. */
export const cgroupRoot = 'berth-lab';

export const runFolder = (lab: LabName): string => join(runRoot, lab);
export const stateFolder = (lab: LabName): string => join(stateRoot, lab);
export const cgroupOf = (lab: LabName): string => `${cgroupRoot}/${lab}`;

/** A namespace of the lab: `lan`, `inet`, `host1`, `client2`. */
export const namespaceName = (lab: LabName, place: string): string => `${lab}-${place}`;

const place = /^(lan|inet|(host|client)[1-9][0-9]?)$/;

/** The place that a namespace's name stands for, if it is one of this lab's. */
export function placeOf(lab: LabName, namespace: string): string | undefined {
  const prefix = `${lab}-`;
  if (!namespace.startsWith(prefix)) return undefined;
  const rest = namespace.slice(prefix.length);
  return place.test(rest) ? rest : undefined;
}
