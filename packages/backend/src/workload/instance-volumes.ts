/**
 * The data volume of each instance: made or taken again, with a folder for each path that its image declares, and one with the
 * image's own content for each that its user has to write to.
 */
import type { Clock } from '@berth/service';
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { Lease } from '../lease/index.ts';
import { canonicalVolume, legacyVolume, type VolumeName } from '../names/index.ts';
import type { Instance, RunAs } from '../stack/index.ts';
import {
  ConfinedFolder,
  clearScratch,
  dropScratchAside,
  type Obtained,
  type OpenVolumes,
  restoreScratch,
  seedScratch,
  type VolumeOwner,
  volumePath,
} from '../volumes/index.ts';
import type { ImageFacts } from './image-facts.ts';
import type { ImageFiles } from './image-files.ts';

export interface InstanceVolumesContext {
  readonly disk: OpenVolumes;
  readonly files: ImageFiles;
  readonly backendName: string;
  /** Size of a volume that holds nothing but content of the image. */
  readonly scratchMb: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Folders of the host, by the path that they have in the container. */
export type Binds = ReadonlyMap<string, string>;

export interface VolumesWork {
  /** Hears of each volume that is new, as soon as it exists; also when a later step fails. */
  readonly created: VolumeName[];
  /** The operation that replaces containers which may have to come back; undefined when there are none. */
  readonly replacing: string | undefined;
}

type LeaseIdentity = Pick<Lease, 'uuid' | 'tenant' | 'provider'>;

const mib = 1024 * 1024;
const isOfAnother = (error: unknown): boolean => errors.is(error) && error.code === 'volume_of_another';

export class InstanceVolumes {
  readonly #context: InstanceVolumesContext;

  constructor(context: InstanceVolumesContext) {
    this.#context = context;
  }

  async prepare(
    lease: LeaseIdentity,
    instance: Instance,
    facts: ImageFacts,
    work: VolumesWork,
    signal: AbortSignal,
  ): Promise<Binds> {
    const stateful = instance.profile.diskMb > 0 && facts.volumes.length > 0;
    if (stateful) return await this.#volume(lease, instance, facts, facts.volumes, work, signal);
    if (facts.writable.length === 0) return new Map();
    try {
      return await this.#volume(lease, instance, facts, [], work, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Beside what is another's no lease may run under that name.
      if (isOfAnother(error)) throw error;
      this.#context.log.warn('an instance runs without folders that its image has for its user', {
        lease_uuid: lease.uuid,
        service: instance.service,
        instance: instance.index,
        error: errorText(error),
      });
      return new Map();
    }
  }

  async #volume(
    lease: LeaseIdentity,
    instance: Instance,
    facts: ImageFacts,
    declared: readonly string[],
    work: VolumesWork,
    signal: AbortSignal,
  ): Promise<Binds> {
    const { scratchMb } = this.#context;
    const sizeMb = instance.profile.diskMb || scratchMb;
    const { name, path, created } = await this.#obtain(this.#owner(lease, instance, sizeMb));
    if (created) work.created.push(name);
    const stateful = await statefulBinds(path, declared, facts.runAs);
    const scratch = await this.#scratch(lease, path, sizeMb, facts, work, signal);
    return new Map([...stateful, ...scratch]);
  }

  /** The tenant is told that there is no volume; whose it is, only the operator. */
  async #obtain(owner: VolumeOwner): Promise<Obtained> {
    const { disk, log } = this.#context;
    try {
      return await disk.volumes.obtain(owner);
    } catch (error) {
      const { lease: lease_uuid, tenant } = owner;
      if (isOfAnother(error))
        log.error('a lease does not get a volume that was made for another tenant', {
          lease_uuid,
          tenant,
          error: errorText(error),
        });
      throw error;
    }
  }

  /** Content of the image is never data: whatever is wrong with it, the instance runs without. */
  async #scratch(
    lease: LeaseIdentity,
    volume: string,
    sizeMb: number,
    { id, writable }: ImageFacts,
    { replacing }: VolumesWork,
    signal: AbortSignal,
  ): Promise<Binds> {
    const { disk, files, log } = this.#context;
    const warn = (message: string, error: unknown, path = ''): void =>
      log.warn(message, { lease_uuid: lease.uuid, volume, path, error: errorText(error) });
    try {
      await clearScratch(volume, replacing);
    } catch (error) {
      warn('old content of an image could not be removed from a volume', error);
    }
    if (writable.length === 0) return new Map();
    try {
      return await files.within(id, signal, (image) =>
        seedScratch({
          volume,
          paths: writable,
          budget: { bytes: sizeMb * mib, entries: disk.entriesIn(sizeMb) },
          contentOf: (path, use) => image.archive(path, use),
          signal,
          onLeftOut: (path, error) => warn('content of an image is left out', error, path),
        }),
      );
    } catch (error) {
      signal.throwIfAborted();
      warn('a volume has no content of its image', error);
      return new Map();
    }
  }

  /** Volumes of before there were services get the names that they have today. Done already counts. */
  async fromLegacy(instances: readonly Instance[]): Promise<void> {
    for (const [legacy, name] of await this.#legacy(instances)) await this.#move(legacy, name);
  }

  async toLegacy(instances: readonly Instance[]): Promise<void> {
    for (const [legacy, name] of await this.#legacy(instances)) await this.#move(name, legacy);
  }

  async #legacy(instances: readonly Instance[]): Promise<readonly (readonly [VolumeName, VolumeName])[]> {
    if (this.#context.disk.volumes.root === undefined) return [];
    return instances.map((instance) => [legacyVolume(instance), canonicalVolume(instance)]);
  }

  async #move(from: VolumeName, to: VolumeName): Promise<void> {
    const { volumes } = this.#context.disk;
    if ((await volumes.list()).includes(from)) await volumes.rename(from, to);
  }

  /** The old containers of the lease come back, and need what was theirs. */
  async back(lease: string, operation: string): Promise<void> {
    await this.#each(lease, (path) => restoreScratch(path, operation));
  }

  /** The new containers of the lease stay. */
  async forward(lease: string): Promise<void> {
    await this.#each(lease, dropScratchAside);
  }

  async #each(lease: string, act: (path: string) => Promise<void>): Promise<void> {
    const { volumes } = this.#context.disk;
    for (const name of await volumes.ofLease(lease)) await act(volumes.hostPath(name));
  }

  /**
   * Just before a container starts: the engine finds folders by their path, and what ran until now may have put a link in the
   * way of one that lies in another of its folders. Rejects then.
   */
  async recheck(binds: Binds): Promise<void> {
    const { root } = this.#context.disk.volumes;
    if (root === undefined) return;
    for (const source of binds.values()) {
      await using folder = await ConfinedFolder.open(root);
      await using _reached = await folder.enter(source.slice(root.length).split('/').filter(Boolean));
    }
  }

  #owner(lease: LeaseIdentity, instance: Instance, sizeMb: number): VolumeOwner {
    const { backendName, clock } = this.#context;
    return {
      backend: backendName,
      lease: lease.uuid,
      tenant: lease.tenant,
      provider: lease.provider,
      service: instance.service,
      index: instance.index,
      sku: instance.item.sku,
      sizeMb,
      createdAtMs: clock.now(),
    };
  }
}

/** A folder in the volume for each declared path. Only the folder itself is given to the user: what is in it keeps its owner. */
async function statefulBinds(
  volume: string,
  declared: readonly string[],
  { uid, gid }: RunAs,
): Promise<Binds> {
  const paths = declared.map((target) => ({ target, names: volumePath(target) }));
  const binds = new Map<string, string>();
  await using root = await ConfinedFolder.open(volume);
  for (const { target, names } of paths) {
    await using folder = await root.make(names);
    if (uid !== 0 || gid !== 0) await folder.own(uid, gid);
    await folder.sync();
    binds.set(target, folder.path);
  }
  return binds;
}
