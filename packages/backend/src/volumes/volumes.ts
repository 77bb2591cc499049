/** The data volumes of leases: everything that can be done with them but destroy them, which has a door of its own. */
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { QuotaVolumes } from '@berth/kernel/filesystems';
import { errors } from '../errors.ts';
import { canonicalVolume, parseVolume, type VolumeName, volumeName } from '../names/index.ts';
import { projectMarker, scratchAside, scratchFolder } from './layout.ts';
import type { NameLocks } from './name-locks.ts';
import { decodeIdentity, decodeOwner, encodeOwner, type VolumeIdentity, type VolumeOwner } from './owner.ts';

export interface Obtained {
  readonly name: VolumeName;
  readonly path: string;
  /** False: it was there, with what is in it. */
  readonly created: boolean;
}

export class Volumes {
  /** Undefined: there is no volume root, and no volume. */
  readonly #filesystem: QuotaVolumes | undefined;
  readonly #locks: NameLocks;

  constructor(filesystem: QuotaVolumes | undefined, locks: NameLocks) {
    this.#filesystem = filesystem;
    this.#locks = locks;
  }

  get kind(): 'btrfs' | 'xfs' | 'zfs' | 'noop' {
    return this.#filesystem?.kind ?? 'noop';
  }

  /** Where they lie; undefined without volumes. */
  get root(): string | undefined {
    return this.#filesystem?.root;
  }

  /** All there are, sorted. Rejects when the root is gone or cannot be read: that is never the same as none. */
  async list(): Promise<readonly VolumeName[]> {
    return ((await this.#filesystem?.list()) ?? []).map(volumeName);
  }

  /** Those of a lease under its own name; `listing` spares another look. */
  async ofLease(lease: string, listing?: readonly VolumeName[]): Promise<readonly VolumeName[]> {
    return belonging(listing ?? (await this.list()), lease, false);
  }

  /** Those of a closed lease. */
  async retainedOf(lease: string, listing?: readonly VolumeName[]): Promise<readonly VolumeName[]> {
    return belonging(listing ?? (await this.list()), lease, true);
  }

  /**
   * Makes the volume of an instance, or takes the one that is there; either way with that quota. Rejects, and leaves it as it was,
   * when it was made for another tenant: the name of a lease proves nothing.
   */
  async obtain(owner: VolumeOwner): Promise<Obtained> {
    const filesystem = this.#demand();
    const name = canonicalVolume(owner);
    if (parseVolume(name) === undefined)
      throw errors.error(
        'volume_name',
        `${name} cannot be the name of a volume: the lease id is no UUID in lower case`,
      );
    return await this.#locks.hold([name], async () => {
      const obtained = await filesystem.create(name, owner.sizeMb, encodeOwner(owner));
      if (!obtained.created) await this.#demandTenant(filesystem, name, owner.tenant);
      return { name, ...obtained };
    });
  }

  /** Nothing written on it: it is of earlier times, and is told by its name alone. */
  async #demandTenant(filesystem: QuotaVolumes, name: VolumeName, tenant: string): Promise<void> {
    const madeFor = await this.identityOf(name);
    if (madeFor === undefined || madeFor.tenant === tenant) return;
    await filesystem.ensureQuota(name, madeFor.sizeMb);
    throw errors.error('volume_of_another', `${name} was made for ${madeFor.tenant}, not for ${tenant}`);
  }

  /** Sets the quota of a volume again; one that is not there is not made. */
  async ensureQuota(name: VolumeName, sizeMb: number): Promise<void> {
    await this.#locks.hold([name], async () => this.#filesystem?.ensureQuota(name, sizeMb));
  }

  /** Those in which a tenant has made something that the quota does not cover until it is set again. */
  async escaping(): Promise<readonly VolumeName[]> {
    return ((await this.#filesystem?.escaping()) ?? []).map(volumeName);
  }

  /** Durable when it resolves, and done already counts. Two volumes are never merged, and none is invented. */
  async rename(from: VolumeName, to: VolumeName): Promise<void> {
    await this.#locks.hold([from, to], async () => this.#filesystem?.rename(from, to));
  }

  /** What was removed stays removed, also when a process that is dead now did it and got no further. */
  async sync(): Promise<void> {
    const { root } = this;
    if (root === undefined) return;
    await using folder = await open(root, 'r');
    await folder.sync();
  }

  /** Bytes that count against the quota. */
  async usage(name: VolumeName): Promise<number> {
    return await this.#demand('usage_unsupported').usage(name);
  }

  /** Where the volume is, or would be. */
  hostPath(name: VolumeName): string {
    return this.#demand().hostPath(name);
  }

  /** Whose it is; undefined when that was never written. Rejects when it cannot be read, or what is written does not say it. */
  async identityOf(name: VolumeName): Promise<VolumeIdentity | undefined> {
    const label = await this.#demand().label(name);
    return label === undefined ? undefined : decodeIdentity(label);
  }

  /** All that is written about for whom it was made. Rejects also when a newer version has written it. */
  async ownerOf(name: VolumeName): Promise<VolumeOwner | undefined> {
    const label = await this.#demand().label(name);
    return label === undefined ? undefined : decodeOwner(label);
  }

  /** From now on it says that it was made for that lease, whose quota it has by now. One that never said anything stays so. */
  async handOver(name: VolumeName, to: Pick<VolumeOwner, 'lease' | 'sku' | 'sizeMb'>): Promise<void> {
    await this.#locks.hold([name], async () => {
      const owner = await this.ownerOf(name);
      if (owner === undefined) return;
      const [before, after] = [encodeOwner(owner), encodeOwner({ ...owner, ...to })];
      if (before !== after) await this.#demand().setLabel(name, after, to.sizeMb);
    });
  }

  /** Says for whom it was made where nothing says so: on a volume of earlier times, whose owner is known from elsewhere. */
  async label(name: VolumeName, owner: VolumeOwner): Promise<boolean> {
    return await this.#locks.hold([name], async () => {
      if ((await this.ownerOf(name)) !== undefined) return false;
      await this.#demand().setLabel(name, encodeOwner(owner), owner.sizeMb);
      return true;
    });
  }

  /** Proves that nothing but seeded content is in it: only then may it be thought to hold no data. */
  async scratchOnly(name: VolumeName): Promise<boolean> {
    const path = this.hostPath(name);
    try {
      const entries = await readdir(path);
      if (!entries.includes(scratchFolder)) return false;
      for (const entry of entries) {
        const stat = await lstat(join(path, entry));
        const scratch = entry === scratchFolder || entry.startsWith(scratchAside(''));
        const harmless = scratch ? stat.isDirectory() : entry === projectMarker && stat.isFile();
        if (!harmless) return false;
      }
      return true;
    } catch {
      return false;
    }
  }

  #demand(code: 'no_volume_root' | 'usage_unsupported' = 'no_volume_root'): QuotaVolumes {
    if (this.#filesystem !== undefined) return this.#filesystem;
    throw errors.error(code, 'there is no volume_data_path, so there are no volumes');
  }
}

const belonging = (names: readonly VolumeName[], lease: string, retained: boolean): readonly VolumeName[] =>
  names.filter((name) => {
    const parsed = parseVolume(name);
    return parsed?.lease === lease && parsed.retained === retained;
  });
