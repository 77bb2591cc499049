/** Volumes that nobody owns are destroyed; to be nobody's, all who might know have to be asked, and none may be in doubt. */
import type { Log } from '@berth/service/log';
import { parseVolume, type VolumeName } from '../names/index.ts';
import type { DestroyOutcome, VolumeDoor } from './door.ts';
import type { Volumes } from './volumes.ts';

/** A reason to keep a volume that nobody claims; undefined: none. */
export type Witness = (name: VolumeName) => string | undefined | Promise<string | undefined>;

export interface SweepContext {
  readonly volumes: Volumes;
  readonly door: VolumeDoor;
  readonly witnesses: readonly Witness[];
  readonly log: Log;
}

export interface Swept {
  readonly listed: number;
  readonly kept: ReadonlyMap<VolumeName, string>;
  readonly outcome: DestroyOutcome;
}

interface Orphans {
  readonly listed: readonly VolumeName[];
  readonly orphans: readonly VolumeName[];
  readonly kept: ReadonlyMap<VolumeName, string>;
}

const isLive = (name: VolumeName): boolean => parseVolume(name)?.retained === false;

/** What would be destroyed, and what is kept although nobody claims it. Changes nothing. */
async function findOrphans(context: SweepContext): Promise<Orphans> {
  const { volumes, door, witnesses } = context;
  const listed = await volumes.list();
  const kept = new Map<VolumeName, string>();
  // Names that we would not give are left alone, and kept data is not for this sweep.
  const named = listed.filter(isLive);
  for (const name of listed)
    if (parseVolume(name) === undefined) kept.set(name, 'its name is none that this version gives');
  const { mine: unclaimed } = await door.operation(undefined).partition(named);
  for (const name of unclaimed) {
    const reason = await firstReason(witnesses, name);
    if (reason !== undefined) kept.set(name, reason);
  }
  return { listed, orphans: unclaimed.filter((name) => !kept.has(name)), kept };
}

/** Rejects when the root cannot be listed. When it cannot be told who owns what, nothing is destroyed. */
export async function sweepOrphans(context: SweepContext): Promise<Swept> {
  const { volumes, door, log } = context;
  const operation = door.operation(undefined);
  let found: Orphans;
  try {
    found = await findOrphans(context);
  } catch (error) {
    const named = (await volumes.list()).filter(isLive);
    return { listed: named.length, kept: new Map(), outcome: operation.keep('orphan_gc', named, error) };
  }
  for (const [volume, reason] of found.kept)
    log.warn('a volume without an owner is kept', { volume, reason });
  const outcome = await operation.destroy('orphan_gc', found.orphans);
  return { listed: found.listed.length, kept: found.kept, outcome };
}

async function firstReason(witnesses: readonly Witness[], name: VolumeName): Promise<string | undefined> {
  for (const witness of witnesses) {
    const reason = await witness(name);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
