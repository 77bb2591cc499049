import type { QuotaVolumes } from '@berth/kernel/filesystems';
import { errorText } from '@berth/service/log';
import type { VolumeName } from '../names/index.ts';
import type { Claim, ClaimSource } from './claims.ts';
import { decodeOwner } from './owner.ts';

/**
 * What another backend made is its own, whatever our records say. A label that cannot be understood may be that of a newer
 * version: then it is not known whose volume it is, and it stays. Volumes of earlier times have none.
 */
export function labelClaims(filesystem: QuotaVolumes, backend: string): ClaimSource {
  return {
    async claimOf(name: VolumeName): Promise<Claim | undefined> {
      const label = await labelOf(filesystem, name);
      if (label === undefined) return undefined;
      const owner = decodeOwner(label);
      return owner.backend === backend ? undefined : { kind: 'foreign_backend', lease: owner.lease };
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
