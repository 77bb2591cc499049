/** Writes on the volumes of earlier times for whom they were made, as on every volume of today: the witness for a lost store. */
import { errorText, type Log } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { VolumeOwner } from './owner.ts';
import type { Volumes } from './volumes.ts';

export interface KnownOwner {
  readonly name: VolumeName;
  readonly owner: VolumeOwner;
}

/** True when every volume that is there says whose it is now. One that says something that cannot be read is left as it is. */
export async function backfillLabels(
  { volumes, log }: { readonly volumes: Volumes; readonly log: Log },
  known: Iterable<KnownOwner>,
): Promise<boolean> {
  const listed = new Set(await volumes.list());
  let [written, failed] = [0, 0];
  for (const { name, owner } of known) {
    if (!listed.has(name)) continue;
    try {
      if (await volumes.label(name, owner)) written++;
    } catch (error) {
      failed++;
      log.warn('it could not be written on a volume whose it is', { volume: name, error: errorText(error) });
    }
  }
  if (written + failed > 0) log.info('volumes without a label were labelled', { written, failed });
  return failed === 0;
}
