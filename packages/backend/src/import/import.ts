/** Brings over what an earlier program has written down: kept data, releases, callbacks that are owed, failures. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { errors } from '../errors.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import { diskMbOf } from '../retention/index.ts';
import {
  type CallbackStore,
  type DiagnosticsStore,
  type PendingCallback,
  type ReleaseStore,
  type RetentionRecord,
  type RetentionStore,
  witnessesFact,
} from '../stores/index.ts';
import { type BoltEntry, BoltFile } from './bolt.ts';
import {
  type Read,
  readCallbacks,
  readDiagnostics,
  readReleases,
  readRetentions,
  type UpstreamCallback,
  type UpstreamDiagnostics,
  type UpstreamReleases,
} from './upstream.ts';

/** The files as that program names them, each with its one bucket. */
const files = {
  callbacks: { file: 'callbacks.db', bucket: 'pending_callbacks' },
  diagnostics: { file: 'diagnostics.db', bucket: 'failure_diagnostics' },
  releases: { file: 'releases.db', bucket: 'releases' },
  retention: { file: 'retention.db', bucket: 'retention' },
} as const;

type ImportedKind = keyof typeof files;

export interface Found {
  readonly callbacks: readonly Read<UpstreamCallback>[];
  readonly diagnostics: readonly Read<UpstreamDiagnostics>[];
  readonly releases: readonly Read<UpstreamReleases>[];
  readonly retention: readonly Read<RetentionRecord>[];
  /** Files that are not there. */
  readonly missing: readonly string[];
}

/** Reads everything, and changes nothing. */
export function findUpstream(folder: string): Found {
  const missing: string[] = [];
  const entries = (kind: ImportedKind): readonly BoltEntry[] => {
    const { file, bucket } = files[kind];
    const path = join(folder, file);
    if (existsSync(path)) return entriesOf(path, bucket);
    missing.push(file);
    return [];
  };
  const found = {
    callbacks: readCallbacks(entries('callbacks')),
    diagnostics: readDiagnostics(entries('diagnostics')),
    releases: readReleases(entries('releases')),
    retention: readRetentions(entries('retention')),
    missing,
  };
  if (missing.length === Object.keys(files).length)
    throw errors.error('import_damaged', `there is none of ${missing.join(', ')} in ${folder}`);
  return found;
}

function entriesOf(path: string, bucket: string): readonly BoltEntry[] {
  const fd = openSync(path, 'r');
  try {
    return new BoltFile(fd).bucket(bucket) ?? [];
  } catch (error) {
    if (!errors.is(error, 'import_damaged')) throw error;
    throw errors.error('import_damaged', `${path}: ${error.message}`, { cause: error });
  } finally {
    closeSync(fd);
  }
}

export interface ImportStores {
  readonly callbacks: CallbackStore;
  readonly diagnostics: DiagnosticsStore;
  readonly releases: ReleaseStore;
  readonly retention: RetentionStore;
}

interface Brought {
  readonly written: number;
  /** There already: what is here counts, and is not touched. */
  readonly present: number;
  /** Kept as it was written, and protected; nobody could read it. */
  readonly unreadable: readonly string[];
}

export type Report = Readonly<Record<ImportedKind, Brought>>;

/**
 * Writes it into our stores; done twice it changes nothing the second time. Each store is one transaction, and the retention
 * store, whose emptiness holds back all destruction, says that it is complete only in the last one.
 */
export function bringOver(
  found: Found,
  stores: ImportStores,
  catalogue: SkuCatalogue,
  nowMs: number,
): Report {
  const { callbacks, diagnostics, releases, retention } = stores;
  const report = {
    releases: releases.file.transaction(() =>
      each(found.releases, {
        write: (key, history) => releases.importHistory(key, history.map(releaseOf)),
        keep: (key, raw) => releases.importUnreadable(key, raw, nowMs),
      }),
    ),
    diagnostics: diagnostics.file.transaction(() =>
      each(found.diagnostics, {
        write: (key, entry) => diagnostics.adopt({ ...entry, lease_uuid: key }),
        keep: (key, raw) => diagnostics.adoptRaw(key, raw, nowMs),
      }),
    ),
    callbacks: callbacks.file.transaction(() =>
      each(found.callbacks, {
        write: (key, entry) => callbacks.adopt(callbackOf(key, entry)),
        keep: (key, raw) => callbacks.adoptRaw(key, raw, nowMs),
      }),
    ),
    retention: retention.file.transaction(() => {
      releases.setFact(witnessesFact, '');
      const brought = each(found.retention, {
        write: (key, record) => retention.adoptWithin(key, sized(record, catalogue)),
        keep: (key, raw) => retention.adoptRaw(key, raw, nowMs),
      });
      retention.learn('imported', nowMs);
      return brought;
    }),
  };
  return report;
}

interface Into<T> {
  /** False: there is one already. */
  readonly write: (key: string, value: T) => boolean;
  readonly keep: (key: string, raw: string) => boolean;
}

function each<T>(read: readonly Read<T>[], { write, keep }: Into<T>): Brought {
  const unreadable: string[] = [];
  let written = 0;
  let present = 0;
  for (const { key, raw, value } of read) {
    const done = value === undefined ? keep(key, raw) : write(key, value);
    if (value === undefined) unreadable.push(key);
    if (!done) present++;
    else if (value !== undefined) written++;
  }
  return { written, present, unreadable };
}

function callbackOf(key: string, entry: UpstreamCallback): PendingCallback {
  const { status = '', success = false, error = '', ...same } = entry;
  return {
    ...same,
    lease_uuid: key,
    status: status === '' ? (success ? 'success' : 'failed') : status,
    // That program writes an empty text for none; to a reader of callbacks an empty reason is a broken one.
    ...(error !== '' && { error }),
  };
}

const releaseOf = ({
  manifest,
  created_at: createdAt,
  reason,
  message,
  ...same
}: UpstreamReleases[number]) => ({
  ...same,
  manifest: new Uint8Array(Buffer.from(manifest, 'base64')),
  createdAtMs: Date.parse(createdAt),
  ...(reason !== '' && { reason }),
  ...(message !== '' && { message }),
});

/** Sizes are written into each record: a profile that goes later must not make what lies on disk uncounted. */
const sized = (record: RetentionRecord, catalogue: SkuCatalogue): RetentionRecord => ({
  ...record,
  items: record.items.map((item) => {
    const diskMb = item.disk_mb ?? diskMbOf(catalogue, item.sku);
    return { ...item, ...(diskMb !== undefined && { disk_mb: diskMb }) };
  }),
});
