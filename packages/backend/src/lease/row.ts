/**
 * How a lease is written down: as two JSON texts, its terms, which stay, and its state, which every transition writes anew. What
 * its caller is still owed is a third one, that may outlive the lease.
 */
import * as z from 'zod/mini';
import { reasons } from './reasons.ts';
import { callbackStatuses, type Lease, leaseStatuses, type Owed, operationKinds } from './record.ts';

export interface WrittenLease {
  readonly terms: string;
  readonly state: string;
}

/** Texts of another format are not read, and not touched either. */
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
  kind: z.enum(operationKinds),
  id: z.string(),
  startedAtMs: z.number(),
  release: z.exactOptional(z.int()),
  items: z.exactOptional(z.array(item)),
  wasReady: z.boolean(),
  death: z.exactOptional(death),
  resumed: z.int(),
});

const terms = z.object({
  format: z.literal(format),
  tenant: z.string(),
  provider: z.string(),
  createdAtMs: z.number(),
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
});

const state = z.object({
  format: z.literal(format),
  status: z.enum(leaseStatuses),
  failCount: z.int(),
  release: z.exactOptional(z.int()),
  lastRelease: z.int(),
  failure: z.exactOptional(z.object({ reason: z.enum(reasons), message: z.string(), detail: z.string() })),
  operation: z.exactOptional(operation),
  leftover: z.exactOptional(z.literal(true)),
  closing: z.exactOptional(z.object({ attempts: z.int() })),
});

const owed = z.object({
  callbackUrl: z.string(),
  status: z.enum(callbackStatuses),
  error: z.exactOptional(z.string()),
  retained: z.exactOptional(z.boolean()),
  atMs: z.number(),
});

/** Are the terms of both the same, so that what is written of the one is right for the other? */
export const sameTerms = (one: Lease, other: Lease): boolean =>
  one.tenant === other.tenant &&
  one.provider === other.provider &&
  one.createdAtMs === other.createdAtMs &&
  one.callbackUrl === other.callbackUrl &&
  one.items === other.items &&
  one.images === other.images &&
  one.allocations === other.allocations;

export const writeTerms = ({
  tenant,
  provider,
  createdAtMs,
  callbackUrl,
  items,
  images,
  allocations,
}: Lease): string =>
  JSON.stringify({ format, tenant, provider, createdAtMs, callbackUrl, items, images, allocations });

export const writeState = ({
  status,
  failCount,
  release,
  lastRelease,
  failure,
  operation,
  leftover,
  closing,
}: Lease): string =>
  JSON.stringify({ format, status, failCount, release, lastRelease, failure, operation, leftover, closing });

export const writeOwed = (debt: Owed): string => JSON.stringify(debt);

/** Throws when a text is none that this version understands. */
export function readLease(uuid: string, written: WrittenLease): Lease {
  const { format: _, ...read } = z.parse(terms, JSON.parse(written.terms));
  const { format: __, ...rest } = z.parse(state, JSON.parse(written.state));
  return { uuid, ...read, ...rest };
}

/** Throws when the text is none that this version understands. */
export const readOwed = (text: string): Owed => z.parse(owed, JSON.parse(text));
