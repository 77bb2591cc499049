/** What goes over the wire, in both directions: checked where it comes in, and published as it goes out. */
import * as z from 'zod/mini';
import { leaseStatuses } from '../lease/index.ts';
import { releaseStatuses } from '../stores/index.ts';

/**
 * Absent and null are the empty value, as the daemon's own language has it. So is what JSON can write and UTF-8 can not: stores, labels
 * and hashes would take two such texts for one.
 */
const text = z.pipe(
  z.optional(z.nullable(z.string())),
  z.transform((value) => (value ?? '').toWellFormed()),
);
const count = z.pipe(
  z.optional(z.nullable(z.int())),
  z.transform((value) => value ?? 0),
);

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const bytes = z.pipe(
  z.optional(
    z.nullable(
      z
        .string()
        .check(z.regex(base64), z.meta({ format: 'byte', contentEncoding: 'base64', pattern: undefined })),
    ),
  ),
  z.transform((value) => new Uint8Array(Buffer.from(value ?? '', 'base64'))),
);

const requestedItem = z.object({ sku: text, quantity: count, service_name: text, custom_domain: text });

const requestedItems = z.pipe(
  z.optional(z.nullable(z.array(requestedItem))),
  z.transform((items) =>
    (items ?? []).map(({ sku, quantity, service_name: serviceName, custom_domain: customDomain }) => ({
      sku,
      quantity,
      serviceName,
      customDomain,
    })),
  ),
);

export const requests = {
  provision: z.object({
    lease_uuid: text,
    tenant: text,
    provider_uuid: text,
    items: requestedItems,
    callback_url: text,
    payload: bytes,
    payload_hash: text,
  }),
  deprovision: z.object({ lease_uuid: text }),
  restart: z.object({ lease_uuid: text, callback_url: text }),
  update: z.object({ lease_uuid: text, callback_url: text, payload: bytes, payload_hash: text }),
  restore: z.object({
    lease_uuid: text,
    from_lease_uuid: text,
    tenant: text,
    provider_uuid: text,
    items: requestedItems,
    callback_url: text,
  }),
  reconcileCustomDomain: z.object({ lease_uuid: text, items: requestedItems }),
} as const;

const wireItem = z.object({
  sku: z.string(),
  quantity: z.int(),
  service_name: z.optional(z.string()),
  custom_domain: z.optional(z.string()),
});

const portBinding = z.object({ host_ip: z.string(), host_port: z.string() });

const instance = z.object({
  instance_index: z.int(),
  container_id: z.optional(z.string()),
  image: z.optional(z.string()),
  status: z.optional(z.string()),
  fqdn: z.optional(z.string()),
  ports: z.optional(z.record(z.string(), portBinding)),
});

const provisionInfo = z.object({
  lease_uuid: z.string(),
  provider_uuid: z.string(),
  status: z.enum([...leaseStatuses, 'retained']),
  created_at: z.string().check(z.meta({ format: 'date-time' })),
  fail_count: z.int(),
  reason: z.optional(z.string()),
  message: z.optional(z.string()),
  retained_until: z.string().check(z.meta({ format: 'date-time' })),
  tenant: z.optional(z.string()),
  partition: z.optional(z.string()),
  quantity: z.int(),
  items: z.optional(z.array(wireItem)),
  service_images: z.optional(z.record(z.string(), z.string())),
});

export const answers = {
  accepted: z.object({ provision_id: z.string() }),
  status: z.object({ status: z.string() }),
  leaseInfo: z.object({
    host: z.optional(z.string()),
    instances: z.optional(z.array(instance)),
    services: z.optional(z.record(z.string(), z.object({ instances: z.optional(z.array(instance)) }))),
  }),
  logs: z.record(z.string(), z.string()),
  provisionInfo,
  provisions: z.object({ provisions: z.array(provisionInfo), continue: z.optional(z.string()) }),
  retentions: z.object({
    retentions: z.array(z.object({ lease_uuid: z.string() })),
    continue: z.optional(z.string()),
  }),
  releases: z.array(
    z.object({
      version: z.int(),
      image: z.string(),
      status: z.enum(releaseStatuses),
      created_at: z.string().check(z.meta({ format: 'date-time' })),
      reason: z.optional(z.string()),
      message: z.optional(z.string()),
      manifest: z.nullable(z.string().check(z.meta({ contentEncoding: 'base64' }))),
    }),
  ),
  stats: z.object({
    total_cpu_cores: z.number(),
    allocated_cpu_cores: z.number(),
    available_cpu_cores: z.number(),
    total_memory_mb: z.int(),
    allocated_memory_mb: z.int(),
    available_memory_mb: z.int(),
    total_disk_mb: z.int(),
    allocated_disk_mb: z.int(),
    available_disk_mb: z.int(),
    active_containers: z.int(),
  }),
  actors: z.array(
    z.object({
      lease_uuid: z.string(),
      sm_state: z.string(),
      inbox_depth: z.int(),
      inbox_cap: z.int(),
    }),
  ),
  openapi: z.looseObject({ openapi: z.string() }),
  envelope: z.object({
    error: z.string().check(z.minLength(1)),
    validation_code: z.optional(z.enum(['unknown_sku', 'invalid_manifest', 'image_not_allowed'])),
    code: z.optional(z.enum(['already_provisioned', 'demote_exceeds_tier'])),
  }),
} as const;

export type ProvisionInfo = z.infer<typeof provisionInfo>;
export type WireInstance = z.infer<typeof instance>;
export type LeaseInfo = z.infer<typeof answers.leaseInfo>;
export type ReleaseInfo = z.infer<typeof answers.releases>[number];
export type Stats = z.infer<typeof answers.stats>;
