/** The record of a closed lease whose data is kept, as it is written down. */
import * as z from 'zod/mini';

const text = z.string();
const time = z.string().check(z.refine((written) => Number.isFinite(Date.parse(written))));

const item = z.object({
  sku: text,
  quantity: z.int(),
  service_name: z.optional(text),
  custom_domain: z.optional(text),
  /** Ours: disk of one instance when the lease was closed. What a profile becomes later changes nothing of what lies on disk. */
  disk_mb: z.optional(z.int()),
});

/** A closed lease whose data is kept. What nobody here understands is passed on as it is. */
const retentionRecord = z.looseObject({
  original_lease_uuid: text,
  tenant: text,
  partition: z.optional(text),
  provider_uuid: text,
  /** All of them, also those without kept data: what a restore has to have. */
  items: z.array(item),
  /** What ran when the lease was closed; without it the data can be kept, but not restored. */
  stack_manifest: z.optional(z.nullable(z.looseObject({}))),
  callback_url: text,
  /** Empty for data that was given up: what there is of it is looked for on disk. */
  retained_volume_names: z.array(text),
  status: z.enum(['active', 'restoring', 'reaping']),
  /** The lease that the data is being restored into. */
  new_lease_uuid: z.optional(text),
  /** Goes up with every transition between active and restoring. */
  generation: z.int(),
  /** RFC 3339; the start of the grace time. */
  created_at: time,
  restoring_since: z.optional(text),
  reaping_since: z.optional(text),
});

export type RetentionRecord = z.infer<typeof retentionRecord>;
export type RetainedItem = RetentionRecord['items'][number];
export type RetentionStatus = RetentionRecord['status'];

/** Throws when it is not a record. */
export const decodeRecord = (value: unknown): RetentionRecord => z.parse(retentionRecord, value);

export const createdAtMs = ({ created_at: createdAt }: Pick<RetentionRecord, 'created_at'>): number =>
  Date.parse(createdAt);

/** What its data may take on disk. An item whose size nobody knows counts nothing, and never less. */
export function footprintMb(items: readonly Pick<RetainedItem, 'quantity' | 'disk_mb'>[]): number {
  return items.reduce(
    (sum, { quantity, disk_mb: diskMb = 0 }) => sum + Math.max(0, quantity) * Math.max(0, diskMb),
    0,
  );
}

/** The close of a lease, from before the first container is stopped until its data is where it belongs. */
const closeIntent = z.object({
  lease_uuid: text,
  /** When the lease that is being closed began: a later one of the same id has nothing to do with it. */
  lease_created_at_ms: z.number(),
  tenant: text,
  provider_uuid: text,
  items: z.array(item),
  stack_manifest: z.nullable(z.looseObject({})),
  callback_url: text,
  /** Was its data to be kept when the close began? What the configuration says later does not count. */
  retain: z.boolean(),
  closed_at: time,
  /** A limit did not allow to keep the data, and its destruction has begun: what is left of it is no data any more. */
  refused: z.optional(z.enum(['global', 'tenant', 'partition'])),
  /** How often the data could not be brought where it belongs. */
  volume_failures: z.int(),
});

export type CloseIntent = z.infer<typeof closeIntent>;

export const decodeIntent = (value: unknown): CloseIntent => z.parse(closeIntent, value);
