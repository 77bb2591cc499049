/** What an earlier program wrote into its stores, value by value. A value that cannot be read is told of and kept as it is. */
import * as z from 'zod/mini';
import { type RetentionRecord, recordFrom } from '../stores/index.ts';
import type { BoltEntry } from './bolt.ts';

/** Absent and null are the empty value, as that program's language has it. */
const text = z.pipe(
  z.optional(z.nullable(z.string())),
  z.transform((value) => value ?? ''),
);
const count = z.pipe(
  z.optional(z.nullable(z.int())),
  z.transform((value) => value ?? 0),
);
const time = z.string().check(z.refine((written) => Number.isFinite(Date.parse(written))));

const callback = z.object({
  lease_uuid: text,
  callback_url: text,
  success: z.optional(z.boolean()),
  status: z.optional(z.enum(['', 'success', 'failed', 'deprovisioned'])),
  backend: text,
  error: z.optional(z.string()),
  retained: z.optional(z.boolean()),
  created_at: time,
});

const diagnostics = z.object({
  lease_uuid: text,
  provider_uuid: text,
  tenant: text,
  error: text,
  reason: text,
  message: text,
  logs: z.pipe(
    z.optional(z.nullable(z.record(z.string(), z.string()))),
    z.transform((logs) => logs ?? {}),
  ),
  fail_count: count,
  created_at: time,
});

const releases = z.array(
  z.object({
    version: z.int(),
    manifest: text,
    status: z.enum(['deploying', 'active', 'superseded', 'failed']),
    created_at: time,
    reason: text,
    message: text,
  }),
);

const listOf = z.pipe(
  z.optional(z.nullable(z.array(z.unknown()))),
  z.transform((list) => list ?? []),
);
/** Its empty lists are written as null. */
const recordWithLists = z.looseObject({ items: listOf, retained_volume_names: listOf });

export type UpstreamCallback = z.infer<typeof callback>;
export type UpstreamDiagnostics = z.infer<typeof diagnostics>;
export type UpstreamReleases = z.infer<typeof releases>;

export interface Read<T> {
  readonly key: string;
  /** As it was written. */
  readonly raw: string;
  /** Absent: it cannot be read. */
  readonly value?: T;
}

function reading<T>(entries: readonly BoltEntry[], decode: (value: unknown) => T): readonly Read<T>[] {
  return entries.map(({ key, value }) => {
    const read = { key: key.toString('utf8'), raw: value.toString('utf8') };
    try {
      return { ...read, value: decode(JSON.parse(read.raw)) };
    } catch {
      return read;
    }
  });
}

export const readCallbacks = (entries: readonly BoltEntry[]): readonly Read<UpstreamCallback>[] =>
  reading(entries, (value) => z.parse(callback, value));

export const readDiagnostics = (entries: readonly BoltEntry[]): readonly Read<UpstreamDiagnostics>[] =>
  reading(entries, (value) => z.parse(diagnostics, value));

export const readReleases = (entries: readonly BoltEntry[]): readonly Read<UpstreamReleases>[] =>
  reading(entries, (value) => z.parse(releases, value));

export const readRetentions = (entries: readonly BoltEntry[]): readonly Read<RetentionRecord>[] =>
  reading(entries, (value) => recordFrom(z.parse(recordWithLists, value)));
