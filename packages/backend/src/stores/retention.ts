import * as z from 'zod/mini';
import { JsonTable, jsonTableSchema, type Page } from './json-table.ts';
import { StoreFile } from './store-file.ts';

const item = z.object({
  sku: z.string(),
  quantity: z.int(),
  service_name: z.optional(z.string()),
  custom_domain: z.optional(z.string()),
});

/** A closed lease whose data is kept. What nobody here understands is passed on as it is. */
const retentionRecord = z.looseObject({
  original_lease_uuid: z.string(),
  tenant: z.string(),
  partition: z.optional(z.string()),
  provider_uuid: z.string(),
  items: z.array(item),
  callback_url: z.string(),
  retained_volume_names: z.array(z.string()),
  status: z.enum(['active', 'restoring', 'reaping']),
  generation: z.int(),
  /** RFC 3339; the start of the grace time. */
  created_at: z.string(),
});

export type RetentionRecord = z.infer<typeof retentionRecord>;

/** The records of kept data, by the id of the closed lease. */
export class RetentionStore {
  readonly file: StoreFile;
  readonly #table: JsonTable<RetentionRecord>;

  constructor(path: string) {
    this.file = StoreFile.open({ name: 'retention', path, schema: jsonTableSchema('retention') });
    this.#table = new JsonTable(this.file, 'retention', (value) => z.parse(retentionRecord, value));
  }

  /** Throws when the record is there and cannot be read: then nothing is known, which is not the same as absence. */
  get(lease: string): RetentionRecord | undefined {
    return this.#table.get(lease);
  }

  page(after: string, limit: number): Page {
    return this.#table.page(after, limit);
  }
}
