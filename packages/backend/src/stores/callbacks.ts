import * as z from 'zod/mini';
import { callbackStatuses } from '../lease/index.ts';
import { JsonTable, jsonTableSchema, type Listing } from './json-table.ts';
import { StoreFile } from './store-file.ts';

const pendingCallback = z.object({
  lease_uuid: z.string(),
  callback_url: z.string(),
  status: z.enum(callbackStatuses),
  backend: z.string(),
  error: z.optional(z.string()),
  retained: z.optional(z.boolean()),
  /** RFC 3339. */
  created_at: z.string(),
});

/** What a caller has not been told yet. */
export type PendingCallback = z.infer<typeof pendingCallback>;

/** The outbox: one entry a lease, the newest. */
export class CallbackStore {
  readonly file: StoreFile;
  readonly #table: JsonTable<PendingCallback>;

  constructor(path: string) {
    this.file = StoreFile.open({ name: 'callback', path, schema: jsonTableSchema('pending_callbacks') });
    this.#table = new JsonTable(this.file, 'pending_callbacks', (value) => z.parse(pendingCallback, value));
  }

  put(entry: PendingCallback): void {
    this.#table.put(entry.lease_uuid, entry, Date.parse(entry.created_at));
  }

  /** Takes over what an earlier program has left; a newer one that is here already counts: false. */
  adopt(entry: PendingCallback): boolean {
    return this.adoptRaw(entry.lease_uuid, JSON.stringify(entry), Date.parse(entry.created_at));
  }

  adoptRaw(key: string, text: string, createdAtMs: number): boolean {
    return this.#table.putAbsent(key, text, createdAtMs);
  }

  /** Removes this entry, but not a newer one that has taken its place. */
  deleteExactly(entry: PendingCallback): void {
    this.#table.deleteExactly(entry.lease_uuid, entry);
  }

  list(): Listing<PendingCallback> {
    return this.#table.list();
  }

  deleteOlderThan(ms: number): number {
    return this.#table.deleteOlderThan(ms);
  }
}
