/**
 * A volume root in memory, with the two truths that a disk has: what a process sees, and what is left of it when the power
 * fails. A change becomes lasting at a step of its own, as it does with a sync; content is the tenant's, who syncs himself.
 */
import type {
  CreatedVolume,
  QuotaFilesystem,
  QuotaVolumes,
  VolumeDestroyer,
} from '@berth/kernel/filesystems';
import type { Log } from '@berth/service/log';
import { parseVolume, type VolumeName, volumeName } from '../names/index.ts';
import type { ClaimSource } from '../volumes/claims.ts';
import type { VolumeDoor } from '../volumes/door.ts';
import { NameLocks } from '../volumes/name-locks.ts';
import { doorTo } from '../volumes/open.ts';
import { decodeOwner } from '../volumes/owner.ts';
import { Volumes } from '../volumes/volumes.ts';
import type { Faults } from './faults.ts';

interface Volume {
  content: string;
  sizeMb: number;
  /** Nothing of the tenant's is in it. */
  readonly scratch: boolean;
  /** For whom it was made. */
  label: string | undefined;
}

export interface Entry {
  readonly name: VolumeName;
  readonly volume: Readonly<Volume>;
  readonly of: ReturnType<typeof parseVolume>;
}

/** The tier whose volumes hold nothing but content of the image. */
export const scratchSku = 'none';

export class SimDisk implements QuotaFilesystem, QuotaVolumes {
  readonly kind = 'btrfs';
  readonly root = '/sim';
  readonly faults: Faults;
  #seen = new Map<string, Volume>();
  #lasting = new Map<string, Volume>();
  #entries: readonly Entry[] | undefined;
  /** The root is not mounted. */
  unmounted = false;
  readonly volumes: QuotaVolumes = this;
  readonly destroyer: VolumeDestroyer = { destroy: (name) => this.destroy(name) };

  constructor(faults: Faults) {
    this.faults = faults;
  }

  get names(): readonly VolumeName[] {
    return this.entries.map(({ name }) => name);
  }

  /** All there are, with what their names say. Looked through at every step: made anew only when there are others. */
  get entries(): readonly Entry[] {
    this.#entries ??= [...this.#seen]
      .map(([name, volume]) => ({ name: volumeName(name), volume, of: parseVolume(name) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#entries;
  }

  volume(name: string): Readonly<Volume> | undefined {
    return this.#seen.get(name);
  }

  #put(name: string, volume: Volume): void {
    this.#seen.set(name, volume);
    this.#entries = undefined;
  }

  #drop(name: string): boolean {
    this.#entries = undefined;
    return this.#seen.delete(name);
  }

  /** What was not made lasting is gone. */
  failPower(): void {
    this.#seen = new Map(this.#lasting);
    this.#entries = undefined;
  }

  write(name: string, content: string): void {
    const volume = this.#seen.get(name);
    if (volume === undefined) throw new Error(`there is no volume ${name}`);
    volume.content = content;
  }

  /** Somebody removes it behind our back. */
  vanish(name: string): void {
    this.#drop(name);
    this.#lasting.delete(name);
  }

  /** As on a volume of earlier times. */
  dropOwner(name: string): void {
    const volume = this.#seen.get(name);
    if (volume !== undefined) volume.label = undefined;
  }

  /** Whoever is dead does not look at anything any more. */
  async #look(): Promise<void> {
    if (this.faults.dead) await new Promise(() => undefined);
    if (this.unmounted) throw Object.assign(new Error('the root is gone'), { code: 'ROOT_UNMOUNTED' });
  }

  async validate(): Promise<void> {
    await this.#look();
  }

  hostPath(name: string): string {
    return `${this.root}/${name}`;
  }

  async list(): Promise<readonly string[]> {
    await this.#look();
    return this.names;
  }

  async label(name: string): Promise<string | undefined> {
    await this.#look();
    const volume = this.#seen.get(name);
    if (volume === undefined) throw new Error(`${name} is not there`);
    return volume.label;
  }

  async setLabel(name: string, label: string): Promise<void> {
    await this.faults.pass(`label ${name}`, 'before');
    const volume = this.#seen.get(name);
    if (volume !== undefined) volume.label = label;
    await this.faults.pass(`label ${name}`, 'done');
  }

  async create(name: string, sizeMb: number, label?: string): Promise<CreatedVolume> {
    await this.faults.pass(`create ${name}`, 'before');
    const path = this.hostPath(name);
    const existing = this.#seen.get(name);
    if (existing !== undefined) {
      existing.sizeMb = sizeMb;
      // Whoever made it may have died before that was for good.
      this.#lasting.set(name, existing);
      await this.faults.pass(`take ${name}`, 'done');
      return { path, created: false };
    }
    const scratch = label !== undefined && decodeOwner(label).sku === scratchSku;
    const volume: Volume = { content: '', sizeMb, scratch, label };
    this.#put(name, volume);
    await this.faults.pass(`create ${name} (not synced)`, 'done');
    this.#lasting.set(name, volume);
    await this.faults.pass(`create ${name}`, 'done');
    return { path, created: true };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.faults.pass(`rename ${from}`, 'before');
    const [source, target] = [this.#seen.get(from), this.#seen.get(to)];
    if ((source === undefined) === (target === undefined))
      throw new Error(
        `cannot rename ${from} to ${to}: ${source === undefined ? 'neither exists' : 'both exist'}`,
      );
    if (source !== undefined) {
      this.#drop(from);
      this.#put(to, source);
      await this.faults.pass(`rename ${from} (not synced)`, 'done');
    }
    const moved = source ?? target;
    this.#lasting.delete(from);
    if (moved !== undefined) this.#lasting.set(to, moved);
    await this.faults.pass(`rename ${from}`, 'done');
  }

  async ensureQuota(name: string, sizeMb: number): Promise<void> {
    await this.faults.pass(`limit ${name}`, 'before');
    const volume = this.#seen.get(name);
    if (volume !== undefined) volume.sizeMb = sizeMb;
    await this.faults.pass(`limit ${name}`, 'done');
  }

  async escaping(): Promise<readonly string[]> {
    return [];
  }

  async usage(name: string): Promise<number> {
    return Buffer.byteLength(this.#seen.get(name)?.content ?? '');
  }

  /** The names that there are, and those that are gone, are so for good. */
  async sync(): Promise<void> {
    await this.faults.pass('sync', 'before');
    this.#lasting = new Map(this.#seen);
    await this.faults.pass('sync', 'done');
  }

  async destroy(name: string): Promise<void> {
    await this.faults.pass(`destroy ${name}`, 'before');
    if (this.#drop(name)) await this.faults.pass(`destroy ${name} (not synced)`, 'done');
    // Also when it was gone already: a process that died may not have got as far as this.
    this.#lasting.delete(name);
    await this.faults.pass(`destroy ${name}`, 'done');
  }
}

/** The volumes of the product on a disk in memory; only what they do with paths of their own is played. */
class SimVolumes extends Volumes {
  readonly #disk: SimDisk;

  constructor(disk: SimDisk, locks: NameLocks) {
    super(disk, locks);
    this.#disk = disk;
  }

  override sync(): Promise<void> {
    return this.#disk.sync();
  }

  override async scratchOnly(name: VolumeName): Promise<boolean> {
    return this.#disk.volume(name)?.scratch === true;
  }
}

/** The name of the backend whose volumes they are. */
export const simBackend = 'sim';

/** As one process has them: with locks of its own, and the real door. */
export function simVolumes(
  disk: SimDisk,
  claims: readonly ClaimSource[],
  log: Log,
): { readonly volumes: Volumes; readonly door: VolumeDoor } {
  const locks = new NameLocks();
  return {
    volumes: new SimVolumes(disk, locks),
    door: doorTo(disk, { claims, backendName: simBackend, locks, log, onRefused: () => undefined }),
  };
}
