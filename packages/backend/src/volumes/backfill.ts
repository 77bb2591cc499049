/** Sets the quotas of all volumes again: what was made without the right to set one, or lost it, gets it at the next start. */
import { errorText, type Log } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { Volumes } from './volumes.ts';

export interface WantedQuota {
  readonly name: VolumeName;
  readonly sizeMb: number;
}

export interface BackfillContext {
  readonly volumes: Volumes;
  readonly log: Log;
  readonly onEach: (outcome: 'applied' | 'failed') => void;
}

/** `wanted` may throw in the middle: what came before it counts. A volume that is not listed is not looked for. */
export async function backfillQuotas(
  { volumes, log, onEach }: BackfillContext,
  sources: readonly (() => Iterable<WantedQuota>)[],
): Promise<void> {
  if (volumes.root === undefined) return;
  let listed: ReadonlySet<VolumeName>;
  try {
    listed = new Set(await volumes.list());
  } catch (error) {
    log.warn('quotas were not set again: the volumes cannot be listed', { error: errorText(error) });
    return;
  }
  const wanted = sources.flatMap((source) => collected(source, log));
  const present = wanted.filter(({ name }) => listed.has(name));
  const counts = { applied: 0, failed: 0 };
  for (const { name, sizeMb } of present) {
    const outcome = await setAgain(volumes, { name, sizeMb }, log);
    counts[outcome]++;
    onEach(outcome);
  }
  log.info('quotas were set again', { ...counts, absent: wanted.length - present.length });
}

/** The same for those in which something was made that their quota does not cover. */
export async function coverEscapes(
  { volumes, log }: Omit<BackfillContext, 'onEach'>,
  sources: readonly (() => Iterable<WantedQuota>)[],
): Promise<void> {
  const escaping = new Set(await volumes.escaping());
  if (escaping.size === 0) return;
  for (const wanted of sources.flatMap((source) => collected(source, log))) {
    if (!escaping.has(wanted.name)) continue;
    if ((await setAgain(volumes, wanted, log)) === 'applied')
      log.warn('a tenant has made subvolumes in a volume: they count against its quota', {
        volume: wanted.name,
      });
  }
}

async function setAgain(
  volumes: Volumes,
  { name, sizeMb }: WantedQuota,
  log: Log,
): Promise<'applied' | 'failed'> {
  try {
    await volumes.ensureQuota(name, sizeMb);
    return 'applied';
  } catch (error) {
    log.warn('the quota of a volume could not be set', { volume: name, error: errorText(error) });
    return 'failed';
  }
}

function collected(source: () => Iterable<WantedQuota>, log: Log): WantedQuota[] {
  const found: WantedQuota[] = [];
  try {
    for (const one of source()) found.push(one);
  } catch (error) {
    log.warn('not all quotas can be set again: records cannot be read', { error: errorText(error) });
  }
  return found;
}
