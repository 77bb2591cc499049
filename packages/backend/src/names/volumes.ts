/** The names of volumes. Ownership hangs on them: they are made and read here and nowhere else. All pure. */
import { containerName, type InstanceId } from './names.ts';

/** The name of a managed volume, of a live or of a closed lease. */
export type VolumeName = string & { readonly volumeName: unique symbol };

const prefix = 'fred-';
const retainedPrefix = 'fred-retained-';
/** Whose volume it is. Strict: a name that we would not make ourselves is not read as if it were one of ours. */
const canonical =
  /^fred-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(0|[1-9]\d{0,8})$/;

const brand = (name: string): VolumeName => name as VolumeName;

/** What of the volume root is ours to look at; a closed lease's volumes among it. */
export const isVolumeName = (name: string): name is VolumeName =>
  name.startsWith(prefix) && /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/.test(name);

/** A name that comes from a store or from the disk. */
export function volumeName(text: string): VolumeName {
  if (isVolumeName(text)) return text;
  throw new TypeError(`${JSON.stringify(text)} is no name of a volume`);
}

/** The volume of an instance is called like its container. */
export const canonicalVolume = (instance: InstanceId): VolumeName => brand(containerName(instance));

/** What it was called before leases had services. */
export const legacyVolume = ({ lease, index }: Pick<InstanceId, 'lease' | 'index'>): VolumeName =>
  brand(`${prefix}${lease}-${index}`);

export const isRetained = (name: VolumeName): boolean => name.startsWith(retainedPrefix);

export const retainedForm = (name: VolumeName): VolumeName =>
  isRetained(name) ? name : brand(retainedPrefix + name.slice(prefix.length));

export const canonicalForm = (name: VolumeName): VolumeName =>
  isRetained(name) ? brand(prefix + name.slice(retainedPrefix.length)) : name;

/** Whose volume it is by its name, which proves nothing; undefined for a name that no lease of ours can have. */
export function parseVolume(name: string): (InstanceId & { readonly retained: boolean }) | undefined {
  if (!isVolumeName(name)) return undefined;
  const [, lease, service, index] = canonical.exec(canonicalForm(name)) ?? [];
  if (lease === undefined || service === undefined) return undefined;
  return { lease, service, index: Number(index), retained: isRetained(name) };
}

/** A kept volume of one lease as a volume of another: the same service, the same index. */
export function adoptedForm(retained: VolumeName, newLease: string): VolumeName {
  const parsed = parseVolume(retained);
  if (parsed === undefined || !parsed.retained)
    throw new TypeError(`${retained} is no kept volume of a lease`);
  return canonicalVolume({ ...parsed, lease: newLease });
}
