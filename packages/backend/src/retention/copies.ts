/** A second copy of each record, beside the data that it speaks of: what is left of it when the store is lost. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@berth/service';
import { type RetentionRecord, recordFrom } from '../stores/index.ts';

export interface RecordCopies {
  keep(record: RetentionRecord): Promise<void>;
  drop(lease: string): Promise<void>;
  /** Undefined: there is none that could be read. */
  read(lease: string): Promise<RetentionRecord | undefined>;
}

/** Not called like a volume: nobody takes it for one. */
const folderName = '.berth-records';

/** In the volume root; without one nothing is kept. */
export function recordCopies(root: string | undefined): RecordCopies {
  if (root === undefined)
    return { keep: async () => undefined, drop: async () => undefined, read: async () => undefined };
  const folder = join(root, folderName);
  const pathOf = (lease: string): string => join(folder, `${lease}.json`);
  return {
    async keep(record) {
      // It has the tenant's manifest in it, secrets and all.
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await replaceFile(pathOf(record.original_lease_uuid), JSON.stringify(record), { mode: 0o600 });
    },
    drop: (lease) => rm(pathOf(lease), { force: true }),
    async read(lease) {
      try {
        return recordFrom(JSON.parse(await readFile(pathOf(lease), 'utf8')));
      } catch {
        return undefined;
      }
    },
  };
}
