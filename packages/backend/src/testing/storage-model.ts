/**
 * The reference: who has which data, as the contract tells it, in plain maps. It decides for itself what a limit evicts or
 * refuses; where a fault leaves more than one outcome open, it takes the one that is seen, if that is one of them.
 */
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import type { RequestedItem } from '../operations/index.ts';
import { createdAtMs } from '../stores/index.ts';
import { flaws, placesOf, undercounted } from './storage-truths.ts';
import type { StorageWorld } from './storage-world.ts';

interface Data {
  readonly tenant: string;
  readonly items: readonly RequestedItem[];
  /** By `service/index`. */
  readonly content: ReadonlyMap<string, string>;
  readonly diskMb: number;
}

interface Kept extends Data {
  readonly createdAtMs: number;
}

/** Near a limit of time either side may be right: the passes do not run at the same instant. */
const slackMs = 30 * 60_000;

const sizeOf = (sku: string): number => ({ small: 100, large: 300 })[sku] ?? 0;
const diskOf = (items: readonly RequestedItem[]): number =>
  items.reduce((sum, { sku, quantity }) => sum + sizeOf(sku) * quantity, 0);

export class StorageModel {
  readonly live = new Map<string, Data>();
  readonly kept = new Map<string, Kept>();
  /** Their containers were removed by somebody else, and nobody has closed them. */
  readonly dropped = new Map<string, Data>();
  /** Whose data has ended, for whatever good reason: none of it may be seen again. */
  readonly gone: string[] = [];

  wrote(lease: string, place: string, content: string): void {
    const data = this.live.get(lease);
    if (data === undefined) return;
    const before = data.content.get(place);
    if (before !== undefined) this.gone.push(before);
    this.live.set(lease, { ...data, content: new Map(data.content).set(place, content) });
  }

  provisioned(lease: string, tenant: string, items: readonly RequestedItem[]): void {
    this.live.set(lease, { tenant, items, content: new Map(), diskMb: diskOf(items) });
  }

  lost(lease: string): void {
    const data = this.live.get(lease);
    if (data === undefined) return;
    this.live.delete(lease);
    this.dropped.set(lease, data);
  }

  /** Its data is its own again, wherever it was. */
  startedAgain(lease: string): void {
    const data = this.kept.get(lease) ?? this.dropped.get(lease);
    if (data === undefined) return;
    this.kept.delete(lease);
    this.dropped.delete(lease);
    this.live.set(lease, data);
  }

  /** What a close without a fault comes to. */
  closed(world: StorageWorld, lease: string, faulty: boolean): void {
    const data = this.live.get(lease) ?? this.dropped.get(lease) ?? this.kept.get(lease);
    if (data === undefined) return;
    this.live.delete(lease);
    this.dropped.delete(lease);
    this.kept.delete(lease);
    const { retainOnClose, maxRetainedLeasesPerTenant: cap, maxRetainedDiskMb: diskCap } = world.config;
    const record = world.store.kept(lease)?.record;
    const hasData = data.diskMb > 0;
    if (!retainOnClose || !hasData) {
      this.end(data);
      return;
    }
    if (cap > 0) this.#evict(world, data.tenant, cap, faulty);
    const others = [...this.kept.values()].reduce((sum, { diskMb }) => sum + diskMb, 0);
    const refused = diskCap > 0 && others + data.diskMb > diskCap;
    if (refused && (!faulty || record === undefined)) {
      this.end(data);
      return;
    }
    const at = record === undefined ? Number.NaN : createdAtMs(record);
    this.kept.set(lease, { ...data, createdAtMs: at });
  }

  #evict(world: StorageWorld, tenant: string, cap: number, faulty: boolean): void {
    const oldest = [...this.kept]
      .filter(([, data]) => data.tenant === tenant)
      .sort(([a, { createdAtMs: x }], [b, { createdAtMs: y }]) => x - y || (a < b ? -1 : 1));
    for (const [lease, data] of oldest.slice(0, Math.max(0, oldest.length - (cap - 1)))) {
      // A look that failed gives nothing up.
      if (faulty && world.store.kept(lease)?.status === 'active') continue;
      this.kept.delete(lease);
      this.end(data);
    }
  }

  restored(from: string, lease: string, items: readonly RequestedItem[]): void {
    const data = this.kept.get(from);
    if (data === undefined) return;
    this.kept.delete(from);
    this.live.set(lease, { tenant: data.tenant, items, content: data.content, diskMb: diskOf(items) });
  }

  /** Time has passed, and a pass has been made. */
  expire(world: StorageWorld): void {
    const maxAge = world.config.retentionMaxAgeMs;
    if (maxAge <= 0) return;
    for (const [lease, data] of this.kept) {
      const over = world.clock.now() - data.createdAtMs - maxAge;
      if (over < -slackMs) continue;
      if (over < slackMs && world.store.kept(lease)?.status === 'active') continue;
      this.kept.delete(lease);
      this.end(data);
    }
  }

  end(data: Data): void {
    this.gone.push(...data.content.values());
  }

  /** Everything in which the world differs from what it should be. */
  differences(world: StorageWorld): readonly string[] {
    const active = world.records('active');
    const activeKeys = new Set(active.map(({ key }) => key));
    const found = [...flaws(world, active)];
    const why = undercounted(world);
    if (why !== undefined) found.push(why);
    for (const [lease, data] of this.live) {
      const status = world.book.get(lease)?.status;
      if (status !== 'ready') found.push(`lease ${lease} is ${status}, not ready`);
      found.push(...misplaced(world, lease, data, (name) => name));
    }
    for (const [lease, data] of this.dropped) found.push(...misplaced(world, lease, data, (name) => name));
    for (const { uuid } of world.book.values())
      if (!this.live.has(uuid)) found.push(`there is a lease ${uuid}`);
    for (const [lease, data] of this.kept) {
      if (!activeKeys.has(lease)) found.push(`the record of ${lease} is not active`);
      found.push(...misplaced(world, lease, data, retainedForm));
    }
    for (const key of activeKeys) if (!this.kept.has(key)) found.push(`there is a record of ${key}`);
    for (const content of this.gone.splice(0))
      if (placesOf(world, content).length > 0) found.push(`"${content}" is seen again`);
    return found;
  }
}

function misplaced(
  world: StorageWorld,
  lease: string,
  { content }: Data,
  form: (name: VolumeName) => VolumeName,
): readonly string[] {
  return [...content].flatMap(([place, text]) => {
    const [service = '', index = ''] = place.split('/');
    const name = form(canonicalVolume({ lease, service, index: Number(index) }));
    const there = world.disk.volume(name)?.content;
    return there === text ? [] : [`${name} has "${there}", not "${text}"`];
  });
}
