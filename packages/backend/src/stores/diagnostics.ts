import * as z from 'zod/mini';
import { JsonTable, jsonTableSchema } from './json-table.ts';
import { StoreFile } from './store-file.ts';

const diagnosticsEntry = z.object({
  lease_uuid: z.string(),
  provider_uuid: z.string(),
  tenant: z.string(),
  /** For the operator only. */
  error: z.string(),
  reason: z.string(),
  message: z.string(),
  /** `service/index` → the last lines of its output. */
  logs: z.record(z.string(), z.string()),
  fail_count: z.int(),
  /** RFC 3339. */
  created_at: z.string(),
});

/** What is kept of a failure, beyond the end of the lease. */
export type DiagnosticsEntry = z.infer<typeof diagnosticsEntry>;

export class DiagnosticsStore {
  readonly file: StoreFile;
  readonly #table: JsonTable<DiagnosticsEntry>;

  constructor(path: string) {
    this.file = StoreFile.open({ name: 'diagnostics', path, schema: jsonTableSchema('failure_diagnostics') });
    this.#table = new JsonTable(this.file, 'failure_diagnostics', (value) =>
      z.parse(diagnosticsEntry, value),
    );
  }

  put(entry: DiagnosticsEntry): void {
    if (entry.lease_uuid !== '') this.#table.put(entry.lease_uuid, entry, Date.parse(entry.created_at));
  }

  /** Takes over what an earlier program has left; what is here already counts: false. */
  adopt(entry: DiagnosticsEntry): boolean {
    return this.adoptRaw(entry.lease_uuid, JSON.stringify(entry), Date.parse(entry.created_at));
  }

  adoptRaw(key: string, text: string, createdAtMs: number): boolean {
    return this.#table.putAbsent(key, text, createdAtMs);
  }

  get(lease: string): DiagnosticsEntry | undefined {
    return this.#table.get(lease);
  }

  delete(lease: string): void {
    this.#table.delete(lease);
  }

  deleteOlderThan(ms: number): number {
    return this.#table.deleteOlderThan(ms);
  }
}
