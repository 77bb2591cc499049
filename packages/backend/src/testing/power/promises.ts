/** What a backend has promised at a moment, and whether a disk and a backend that has recovered on it keep that. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openQuotaFilesystem } from '@berth/kernel/filesystems';
import { canonicalVolume, parseVolume, retainedForm, volumeName } from '../../names/index.ts';

export const service = 'db';
/** Of every volume. */
export const sizeMb = 16;

/** A backend that can be asked, and the disk that it works on. */
export interface Storage {
  readonly volumes: string;
  /** The folder in a volume that the image declares. */
  readonly folder: string;
  call(method: string, target: string): Promise<{ readonly status: number; readonly body: unknown }>;
  ask(expected: number, method: string, target: string): Promise<unknown>;
}

/** Where data may lie: with a lease that lives, or kept for one that is closed. */
export interface Place {
  readonly lease: string;
  readonly as: 'live' | 'kept';
}

/** One lease's data, wherever it goes. */
export interface Promised {
  /** It is whole in one of these, and in no other. */
  readonly places: readonly Place[];
  /** Or in none: it is coming into being, or being destroyed. */
  readonly mayBeGone: boolean;
  /** What each of its volumes holds; one of these, while it is being written. Empty: nothing was ever said of it. */
  readonly contents: readonly (readonly string[])[];
  /** Where it was until it was destroyed: it must not come back. */
  readonly destroyed?: Place;
}

interface Provision {
  readonly lease_uuid: string;
  readonly status: string;
  readonly items: readonly { readonly service_name: string; readonly quantity: number }[];
}

/** Everything as it looks now, from outside and on the disk. */
export interface Seen {
  readonly live: ReadonlyMap<string, Provision>;
  readonly kept: ReadonlyMap<string, Provision>;
  readonly names: ReadonlySet<string>;
  readonly allocatedMb: number;
  readonly keptMb: number;
  readonly contentOf: (name: string) => string;
  /** Volumes that do not say for whom they were made. */
  readonly unlabelled: readonly string[];
}

async function unlabelledOf(root: string, names: Iterable<string>): Promise<readonly string[]> {
  const { volumes } = await openQuotaFilesystem({
    root,
    wanted: '',
    isManaged: () => true,
    warn: () => undefined,
    onClearFailed: () => undefined,
    minAvgFileBytes: 0,
  });
  // On others this changes something, under the program that works there.
  if (volumes.kind === 'zfs') await volumes.validate();
  const found: string[] = [];
  for (const name of names) {
    const label = await volumes.label(name).catch((error: unknown) => String(error));
    if (label === undefined || !label.startsWith('{"v":1,')) found.push(`${name} says ${label} of its owner`);
  }
  return found;
}

export async function look(host: Storage): Promise<Seen> {
  const { provisions } = (await host.ask(200, 'GET', '/provisions')) as { provisions: readonly Provision[] };
  const stats = (await host.ask(200, 'GET', '/stats')) as Readonly<Record<string, number>>;
  const {
    allocated_disk_mb: allocatedMb = 0,
    available_disk_mb: available = 0,
    total_disk_mb: total = 0,
  } = stats;
  const { retentions } = (await host.ask(200, 'GET', '/retentions')) as {
    retentions: readonly { readonly lease_uuid: string }[];
  };
  const kept = new Map<string, Provision>();
  for (const { lease_uuid: lease } of retentions) {
    const { status, body } = await host.call('GET', `/provisions/${lease}`);
    if (status === 200) kept.set(lease, body as Provision);
  }
  const names = new Set(readdirSync(host.volumes).filter((name) => name.startsWith('fred-')));
  return {
    live: new Map(provisions.map((one) => [one.lease_uuid, one])),
    kept,
    names,
    unlabelled: await unlabelledOf(host.volumes, names),
    allocatedMb,
    keptMb: total - allocatedMb - available,
    contentOf: (name) => {
      const file = join(host.volumes, name, host.folder, 'file');
      return existsSync(file) ? readFileSync(file, 'utf8') : '';
    },
  };
}

export const nameIn = ({ lease, as }: Place, index: number): string => {
  const name = canonicalVolume({ lease, service, index });
  return as === 'live' ? name : retainedForm(name);
};

/** Does a lease or a record answer for the place? */
const isHeld = ({ live, kept }: Seen, { lease, as }: Place): boolean =>
  (as === 'live' ? live : kept).has(lease);

/** What is wrong, each as one line. */
export function broken(promises: ReadonlyMap<string, Promised>, seen: Seen): readonly string[] {
  const found: string[] = [];
  for (const { lease_uuid: lease, status } of seen.live.values())
    if (!['ready', 'failed'].includes(status)) found.push(`lease ${lease} is ${status}`);
  for (const [data, promised] of promises) found.push(...brokenOf(data, promised, seen));
  for (const name of seen.names) {
    const why = leaked(name, seen);
    if (why !== undefined) found.push(`${name} is leaked: ${why}`);
  }
  return [...found, ...seen.unlabelled, ...miscounted(seen)];
}

/** Where volumes of the data are; or, when there are none, who says that he has it and has not failed. */
export function placesOf({ places, contents }: Promised, seen: Seen): readonly Place[] {
  const onDisk = places.filter((place) => contents.some((_, index) => seen.names.has(nameIn(place, index))));
  if (onDisk.length > 0) return onDisk;
  return places.filter(
    (place) => isHeld(seen, place) && (place.as === 'kept' || seen.live.get(place.lease)?.status === 'ready'),
  );
}

function brokenOf(data: string, promised: Promised, seen: Seen): readonly string[] {
  const { mayBeGone, contents, destroyed } = promised;
  if (destroyed !== undefined && (isHeld(seen, destroyed) || seen.names.has(nameIn(destroyed, 0))))
    return [`the data ${data} has come back`];
  const [place, ...others] = placesOf(promised, seen);
  if (place === undefined) return mayBeGone ? [] : [`the data ${data} is gone`];
  if (others.length > 0)
    return [
      `the data ${data} is in ${[place, ...others].map(({ lease, as }) => `${as} ${lease}`).join(' and ')}`,
    ];
  const found = isHeld(seen, place) ? [] : [`nobody answers for the data ${data} in ${place.lease}`];
  for (const [index, allowed] of contents.entries()) {
    const name = nameIn(place, index);
    // One that is coming into being may not have all of its volumes; nothing was said of them yet.
    if (allowed.length === 0) continue;
    if (!seen.names.has(name)) found.push(`${name} with ${data}/${index} is missing`);
    else if (!allowed.includes(seen.contentOf(name)))
      found.push(`${name} holds ${JSON.stringify(seen.contentOf(name))}, not ${allowed.join(' or ')}`);
  }
  return found;
}

function leaked(name: string, { live, kept }: Seen): string | undefined {
  const parsed = parseVolume(volumeName(name));
  if (parsed === undefined) return 'nobody gives such a name';
  const holder = (parsed.retained ? kept : live).get(parsed.lease);
  if (holder === undefined) return 'nobody has a record of it';
  const covered = holder.items.some(
    ({ service_name: own, quantity }) => own === parsed.service && parsed.index < quantity,
  );
  return covered ? undefined : 'its lease has no place for it';
}

const sumMb = (all: Iterable<Provision>): number =>
  [...all].flatMap(({ items }) => items).reduce((sum, { quantity }) => sum + quantity * sizeMb, 0);

function miscounted({ live, kept, allocatedMb, keptMb }: Seen): readonly string[] {
  const found: string[] = [];
  if (keptMb !== sumMb(kept.values()))
    found.push(`${sumMb(kept.values())} MiB are kept, ${keptMb} are counted`);
  const ready = sumMb([...live.values()].filter(({ status }) => status === 'ready'));
  // One that failed may have given its room back (it is counted again by its next attempt), or still hold it.
  if (allocatedMb < ready || allocatedMb > sumMb(live.values()))
    found.push(`${ready} to ${sumMb(live.values())} MiB are in use, ${allocatedMb} are counted`);
  return found;
}
