import { errorText, type Log } from '@berth/service/log';
import { parseStoredManifest } from '../manifest/index.ts';
import type { ReleaseStore } from '../stores/index.ts';
import type { KnownRelease } from './rebuild.ts';

/** What a lease runs, as far as the history knows. */
export function knownRelease(
  releases: Pick<ReleaseStore, 'latestActive'>,
  uuid: string,
  log: Log,
): KnownRelease | undefined {
  try {
    const active = releases.latestActive(uuid);
    return active && { version: active.version, stack: parseStoredManifest(active.manifest).stack };
  } catch (error) {
    log.warn('the manifest of a lease cannot be read, it cannot be restarted', {
      lease_uuid: uuid,
      error: errorText(error),
    });
    return undefined;
  }
}
