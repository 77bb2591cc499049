/**
 * A volume root in memory, with the two truths that a disk has: what a process sees, and what is left of it when the power
 * fails. A change becomes lasting at a step of its own, as it does with a sync; content is the tenant's, who syncs himself.
 */
import { canonicalForm, parseVolume, type VolumeName } from '../names/index.ts';
import type {
  DestroyOutcome,
  DoorPort,
  LabelledVolumes,
  VolumeClaim,
  VolumeLabel,
  VolumesPort,
} from '../retention/index.ts';
import type { Faults } from './faults.ts';

interface Volume {
  content: string;
  sizeMb: number;
  /** Nothing of the tenant's is in it. */
  scratch: boolean;
  /** For whom it was made. */
  owner?: VolumeLabel;
}

export class SimDisk implements VolumesPort, LabelledVolumes {
  readonly kind = 'btrfs';
  readonly faults: Faults;
  #seen = new Map<VolumeName, Volume>();
  #lasting = new Map<VolumeName, Volume>();
  /** The root is not mounted. */
  unmounted = false;
  /** Every destruction, as proof of who did what. */
  readonly destroyed: string[] = [];

  constructor(faults: Faults) {
    this.faults = faults;
  }

  get names(): readonly VolumeName[] {
    return [...this.#seen.keys()].sort();
  }

  volume(name: VolumeName): Readonly<Volume> | undefined {
    return this.#seen.get(name);
  }

  /** What was not made lasting is gone. */
  failPower(): void {
    this.#seen = new Map(this.#lasting);
  }

  write(name: VolumeName, content: string): void {
    const volume = this.#seen.get(name);
    if (volume === undefined) throw new Error(`there is no volume ${name}`);
    volume.content = content;
  }

  /** Somebody removes it behind our back. */
  vanish(name: VolumeName): void {
    this.#seen.delete(name);
    this.#lasting.delete(name);
  }

  async list(): Promise<readonly VolumeName[]> {
    if (this.faults.dead) await new Promise(() => undefined);
    if (this.unmounted) throw Object.assign(new Error('the root is gone'), { code: 'ROOT_UNMOUNTED' });
    return this.names;
  }

  async ownerOf(name: VolumeName): Promise<VolumeLabel | undefined> {
    return this.#seen.get(name)?.owner;
  }

  async handOver(name: VolumeName, to: Pick<VolumeLabel, 'lease' | 'sku' | 'sizeMb'>): Promise<void> {
    await this.faults.pass(`label ${name}`, 'before');
    const volume = this.#seen.get(name);
    if (volume?.owner !== undefined) volume.owner = { ...volume.owner, ...to };
    await this.faults.pass(`label ${name}`, 'done');
  }

  /** As on a volume of earlier times. */
  dropOwner(name: VolumeName): void {
    delete this.#seen.get(name)?.owner;
  }

  async create(name: VolumeName, sizeMb: number, scratch = false, owner?: VolumeLabel): Promise<boolean> {
    await this.faults.pass(`create ${name}`, 'before');
    const existing = this.#seen.get(name);
    if (existing !== undefined) {
      existing.sizeMb = sizeMb;
      // Whoever made it may have died before that was for good.
      this.#lasting.set(name, existing);
      await this.faults.pass(`take ${name}`, 'done');
      return false;
    }
    const volume: Volume = { content: '', sizeMb, scratch, ...(owner !== undefined && { owner }) };
    this.#seen.set(name, volume);
    await this.faults.pass(`create ${name} (not synced)`, 'done');
    this.#lasting.set(name, volume);
    await this.faults.pass(`create ${name}`, 'done');
    return true;
  }

  async rename(from: VolumeName, to: VolumeName): Promise<void> {
    await this.faults.pass(`rename ${from}`, 'before');
    const [source, target] = [this.#seen.get(from), this.#seen.get(to)];
    if ((source === undefined) === (target === undefined))
      throw new Error(
        `cannot rename ${from} to ${to}: ${source === undefined ? 'neither exists' : 'both exist'}`,
      );
    if (source !== undefined) {
      this.#seen.delete(from);
      this.#seen.set(to, source);
      await this.faults.pass(`rename ${from} (not synced)`, 'done');
    }
    const moved = source ?? target;
    this.#lasting.delete(from);
    if (moved !== undefined) this.#lasting.set(to, moved);
    await this.faults.pass(`rename ${from}`, 'done');
  }

  async ensureQuota(name: VolumeName, sizeMb: number): Promise<void> {
    await this.faults.pass(`limit ${name}`, 'before');
    const volume = this.#seen.get(name);
    if (volume !== undefined) volume.sizeMb = sizeMb;
    await this.faults.pass(`limit ${name}`, 'done');
  }

  async sync(): Promise<void> {
    await this.faults.pass('sync', 'before');
    this.#lasting = new Map(this.#seen);
    await this.faults.pass('sync', 'done');
  }

  async usage(name: VolumeName): Promise<number> {
    return Buffer.byteLength(this.#seen.get(name)?.content ?? '');
  }

  async scratchOnly(name: VolumeName): Promise<boolean> {
    return this.#seen.get(name)?.scratch === true;
  }

  async destroy(name: VolumeName, why: string): Promise<void> {
    await this.faults.pass(`destroy ${name}`, 'before');
    if (this.#seen.delete(name)) {
      this.destroyed.push(`${why} ${name}`);
      await this.faults.pass(`destroy ${name} (not synced)`, 'done');
    }
    // Also when it was gone already: a process that died may not have got as far as this.
    this.#lasting.delete(name);
    await this.faults.pass(`destroy ${name}`, 'done');
  }
}

/** The one way to destroy a volume of it, with the claims asked right before. */
export class SimDoor implements DoorPort {
  readonly #disk: SimDisk;
  readonly #claimsOn: (name: VolumeName) => readonly VolumeClaim[];

  constructor(disk: SimDisk, claimsOn: (name: VolumeName) => readonly VolumeClaim[]) {
    this.#disk = disk;
    this.#claimsOn = claimsOn;
  }

  operation(asking: string | undefined): ReturnType<DoorPort['operation']> {
    const foreign = (name: VolumeName): VolumeClaim | undefined => {
      return this.#claimsOn(name).find(({ lease }) => lease !== asking);
    };
    return {
      destroy: (site, names) => this.#destroy(`${site} ${asking ?? '-'}`, names, foreign),
      partition: async (names) => {
        const claims = names.map((name) => [name, foreign(name)] as const);
        return {
          mine: claims.flatMap(([name, claim]) => (claim === undefined ? [name] : [])),
          foreign: claims.flatMap(([name, claim]) => (claim === undefined ? [] : [{ name, claim }])),
        };
      },
    };
  }

  async #destroy(
    why: string,
    names: readonly VolumeName[],
    foreign: (name: VolumeName) => VolumeClaim | undefined,
  ): Promise<DestroyOutcome> {
    const destroyed: VolumeName[] = [];
    const claimed: { name: VolumeName; claim: VolumeClaim }[] = [];
    const unproven: VolumeName[] = [];
    const errors: { name: VolumeName; error: unknown }[] = [];
    for (const name of names) {
      let claim: VolumeClaim | undefined;
      try {
        claim = foreign(name);
      } catch {
        unproven.push(name);
        continue;
      }
      if (claim !== undefined) claimed.push({ name, claim });
      else
        await this.#disk.destroy(name, why).then(
          () => destroyed.push(name),
          (error: unknown) => errors.push({ name, error }),
        );
    }
    return {
      destroyed,
      claimed,
      unproven,
      errors,
      leftOnDisk: claimed.length + unproven.length + errors.length > 0,
    };
  }
}

/** Is this one of the volumes that a lease of these items has? */
export function isOf(
  name: VolumeName,
  {
    uuid,
    items,
  }: { readonly uuid: string; readonly items: readonly { serviceName: string; quantity: number }[] },
): boolean {
  const parsed = parseVolume(canonicalForm(name));
  return (
    parsed?.lease === uuid &&
    items.some(({ serviceName, quantity }) => serviceName === parsed.service && parsed.index < quantity)
  );
}
