/** How a lease is written down: one JSON text a lease, with what its caller is still owed. */
import * as z from 'zod/mini';
import { reasons } from './reasons.ts';
import type { Lease, Owed } from './record.ts';

export interface LeaseRow {
  /** Absent: the lease has ended, and only its last callback is left. */
  readonly lease?: Lease;
  readonly owed?: Owed;
}

/** Rows of another format are not read, and not touched either. */
const format = 1;

const item = z.object({
  sku: z.string(),
  quantity: z.int(),
  serviceName: z.string(),
  customDomain: z.string(),
});

const death = z.object({
  service: z.string(),
  index: z.int(),
  containerId: z.string(),
  exitCode: z.exactOptional(z.int()),
  oomKilled: z.exactOptional(z.boolean()),
});

const operation = z.object({
  kind: z.enum(['provision', 'restart', 'update', 'restore', 'diagnose', 'deprovision']),
  id: z.string(),
  startedAtMs: z.number(),
  release: z.exactOptional(z.int()),
  items: z.exactOptional(z.array(item)),
  wasReady: z.boolean(),
  death: z.exactOptional(death),
  resumed: z.int(),
});

const lease = z.object({
  uuid: z.string(),
  tenant: z.string(),
  provider: z.string(),
  status: z.enum([
    'provisioning',
    'ready',
    'failing',
    'failed',
    'restarting',
    'updating',
    'deprovisioning',
    'unknown',
  ]),
  createdAtMs: z.number(),
  failCount: z.int(),
  callbackUrl: z.string(),
  items: z.array(item),
  images: z.record(z.string(), z.string()),
  allocations: z.array(
    z.object({
      key: z.string(),
      sku: z.string(),
      cpuCores: z.number(),
      memoryMb: z.number(),
      diskMb: z.number(),
    }),
  ),
  release: z.exactOptional(z.int()),
  lastRelease: z.int(),
  failure: z.exactOptional(z.object({ reason: z.enum(reasons), message: z.string(), detail: z.string() })),
  operation: z.exactOptional(operation),
  leftover: z.exactOptional(z.literal(true)),
  closing: z.exactOptional(z.object({ attempts: z.int() })),
});

const owed = z.object({
  callbackUrl: z.string(),
  status: z.enum(['success', 'failed', 'deprovisioned']),
  error: z.exactOptional(z.string()),
  retained: z.exactOptional(z.boolean()),
  atMs: z.number(),
});

const row = z.object({
  format: z.literal(format),
  lease: z.exactOptional(lease),
  owed: z.exactOptional(owed),
});

export const encodeRow = (content: LeaseRow): string => JSON.stringify({ format, ...content });

/** Throws when the text is not a row that this version understands. */
export function decodeRow(text: string): LeaseRow {
  const { format: _, ...content } = z.parse(row, JSON.parse(text));
  return content;
}
