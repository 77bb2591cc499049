/** What the provider daemon may be answered and told, as strictly as the contract has it: no field more, none missing. */
import * as z from 'zod';

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));
const filled = z.string().min(1);
const count = z.int().min(0);

const item = z.strictObject({
  sku: filled,
  quantity: count,
  service_name: filled.optional(),
  custom_domain: filled.optional(),
});

const portBinding = z.strictObject({ host_ip: filled, host_port: z.string().regex(/^\d{1,5}$/) });

const instance = z.strictObject({
  instance_index: count,
  container_id: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional(),
  image: filled.optional(),
  status: filled.optional(),
  fqdn: filled.optional(),
  ports: z.record(z.string().regex(/^\d{1,5}\/(tcp|udp)$/), portBinding).optional(),
});

const status = z.enum([
  'provisioning',
  'ready',
  'failing',
  'failed',
  'restarting',
  'updating',
  'deprovisioning',
  'retained',
  'unknown',
]);

const provision = z
  .strictObject({
    lease_uuid: filled,
    provider_uuid: z.string(),
    status,
    created_at: time,
    fail_count: count,
    reason: filled.optional(),
    message: filled.optional(),
    retained_until: time,
    tenant: filled.optional(),
    partition: filled.optional(),
    quantity: count,
    items: z.array(item).min(1).optional(),
    service_images: z.record(z.string(), filled).optional(),
  })
  .refine((one) => one.status !== 'failed' || one.reason !== undefined, 'a failed lease has a reason')
  .refine((one) => one.status === 'retained' || one.tenant === undefined, 'a live lease shows no tenant');

export const wire = {
  accepted: z.strictObject({ provision_id: filled }),
  restarting: z.strictObject({ status: z.literal('restarting') }),
  updating: z.strictObject({ status: z.literal('updating') }),
  restoring: z.strictObject({ status: z.literal('restoring') }),
  ok: z.strictObject({ status: z.literal('ok') }),
  healthy: z.strictObject({ status: z.literal('healthy') }),
  provision,
  provisions: z.strictObject({ provisions: z.array(provision), continue: z.uuid().optional() }),
  retentions: z.strictObject({
    retentions: z.array(z.strictObject({ lease_uuid: filled })),
    continue: z.uuid().optional(),
  }),
  info: z.strictObject({
    host: filled,
    instances: z.array(instance),
    services: z.record(z.string(), z.strictObject({ instances: z.array(instance) })),
  }),
  logs: z.record(z.string().regex(/^[a-z0-9-]+\/\d+$/), z.string()),
  releases: z.array(
    z.strictObject({
      version: z.int().min(1),
      image: z.literal('stack'),
      status: z.enum(['deploying', 'active', 'superseded', 'failed']),
      created_at: time,
      reason: filled.optional(),
      message: filled.optional(),
      manifest: z.base64().nullable(),
    }),
  ),
  stats: z.strictObject({
    total_cpu_cores: z.number().positive(),
    allocated_cpu_cores: z.number().min(0),
    available_cpu_cores: z.number(),
    total_memory_mb: count,
    allocated_memory_mb: count,
    available_memory_mb: count,
    total_disk_mb: count,
    allocated_disk_mb: count,
    available_disk_mb: count,
    active_containers: count,
  }),
  envelope: z.strictObject({
    error: filled,
    validation_code: z.enum(['unknown_sku', 'invalid_manifest', 'image_not_allowed']).optional(),
    code: filled.optional(),
  }),
  callback: z.strictObject({
    lease_uuid: z.uuid(),
    status: z.enum(['success', 'failed', 'deprovisioned']),
    error: filled.optional(),
    backend: filled,
    retained: z.literal(true).optional(),
  }),
} as const;

export type Provision = z.infer<typeof wire.provision>;
export type Instance = z.infer<typeof instance>;
export type Callback = z.infer<typeof wire.callback>;

/** What the daemon may be told of a failure: fixed texts, because they end up on a chain. */
const failureTexts = [
  'image pull failed',
  'image inspect failed',
  'tenant network setup failed',
  'volume creation failed',
  'container creation failed',
  'container exited during startup',
  'container reported unhealthy',
  'container exited during health check',
  'container startup verification canceled',
  'provisioning canceled',
  'container exited unexpectedly',
  'restart failed',
  'update failed',
  'restore failed',
  'internal error',
  'volume cleanup exhausted',
];
const suffixes = ['', '; rolled back to previous version', '; rollback failed'];
const allowed = new Set(failureTexts.flatMap((text) => suffixes.map((suffix) => text + suffix)));

/** What a callback breaks beyond its form; undefined when nothing. */
export function callbackProblem({ status: outcome, error, retained }: Callback): string | undefined {
  if (outcome === 'failed' && (error === undefined || !allowed.has(error)))
    return `"${error}" is no text that a failure may have`;
  if (outcome !== 'failed' && error !== undefined) return `${outcome} comes with the error "${error}"`;
  if (outcome !== 'deprovisioned' && retained === true) return `${outcome} says that something was kept`;
  return undefined;
}
