/** What is written on every volume: for whom it was made. A second witness when records are lost; never a licence to destroy. */
import * as z from 'zod/mini';

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

export interface VolumeOwner {
  readonly backend: string;
  readonly lease: string;
  readonly tenant: string;
  readonly provider: string;
  readonly service: string;
  readonly index: number;
  readonly sku: string;
  readonly sizeMb: number;
  readonly createdAtMs: number;
}

export function encodeOwner({ sizeMb, createdAtMs, ...same }: VolumeOwner): string {
  return JSON.stringify({
    v: 1,
    ...same,
    size_mb: sizeMb,
    created_at: new Date(createdAtMs).toISOString(),
  } satisfies z.infer<typeof owner>);
}

/** Throws when it is not what this version writes. */
export function decodeOwner(text: string): VolumeOwner {
  const { v: _, size_mb: sizeMb, created_at: createdAt, ...same } = z.parse(owner, JSON.parse(text));
  return { ...same, sizeMb, createdAtMs: Date.parse(createdAt) };
}
