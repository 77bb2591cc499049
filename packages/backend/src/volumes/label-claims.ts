import type { QuotaVolumes } from '@berth/kernel/filesystems';
import { errorText } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { Claim, ClaimSource } from './claims.ts';
import { decodeIdentity } from './owner.ts';

/**
 * What another backend made is its own, whatever our records say. A label that does not say whose a volume is leaves that
 * open, and the volume stays. Volumes of earlier times have none.
 */
export function labelClaims(filesystem: QuotaVolumes, backend: string): ClaimSource {
  return {
    async claimOf(name: VolumeName): Promise<Claim | undefined> {
      const label = await labelOf(filesystem, name);
      if (label === undefined) return undefined;
      const madeFor = decodeIdentity(label);
      return madeFor.backend === backend ? undefined : { kind: 'foreign_backend', lease: madeFor.lease };
    },
  };
}

/** A volume that is not there has no label. */
async function labelOf(filesystem: QuotaVolumes, name: VolumeName): Promise<string | undefined> {
  try {
    return await filesystem.label(name);
  } catch (error) {
    if (!(await filesystem.list()).includes(name)) return undefined;
    throw new Error(`the label of ${name} cannot be read: ${errorText(error)}`, { cause: error });
  }
}
