/** What is written on every volume: for whom it was made. A second witness when records are lost; never a licence to destroy. */
import { isoTime } from '@berth/service';
import * as z from 'zod/mini';

/** What a label of every version says, in these fields; one that an older program must not act on says it elsewhere. */
const identity = z.object({
  v: z.int().check(z.positive()),
  backend: z.string(),
  lease: z.string(),
  tenant: z.string(),
  size_mb: z.int(),
});

const owner = z.object({
  v: z.literal(1),
  backend: z.string(),
  lease: z.string(),
  tenant: z.string(),
  provider: z.string(),
  service: z.string(),
  index: z.int(),
  sku: z.string(),
  size_mb: z.int(),
  created_at: z.string(),
});

/** Whose a volume is. */
export interface VolumeIdentity {
  readonly backend: string;
  readonly lease: string;
  readonly tenant: string;
  readonly sizeMb: number;
}

export interface VolumeOwner extends VolumeIdentity {
  readonly provider: string;
  readonly service: string;
  readonly index: number;
  readonly sku: string;
  readonly createdAtMs: number;
}

export function encodeOwner({ sizeMb, createdAtMs, ...same }: VolumeOwner): string {
  return JSON.stringify({
    v: 1,
    ...same,
    size_mb: sizeMb,
    created_at: isoTime(createdAtMs),
  } satisfies z.infer<typeof owner>);
}

/** Also of a label that a newer version has written. Throws when it does not say whose the volume is. */
export function decodeIdentity(text: string): VolumeIdentity {
  const { backend, lease, tenant, size_mb: sizeMb } = z.parse(identity, JSON.parse(text));
  return { backend, lease, tenant, sizeMb };
}

/** Throws when it is not what this version writes. */
export function decodeOwner(text: string): VolumeOwner {
  const { v: _, size_mb: sizeMb, created_at: createdAt, ...same } = z.parse(owner, JSON.parse(text));
  return { ...same, sizeMb, createdAtMs: Date.parse(createdAt) };
}
