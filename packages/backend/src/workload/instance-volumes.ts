/** The data volume of each instance: made or taken again, with a folder for each path that its image declares. */
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { Lease } from '../lease/index.ts';
import type { VolumeName } from '../names/index.ts';
import type { Instance, RunAs } from '../stack/index.ts';
import { ConfinedFolder, type VolumeOwner, type Volumes, volumePath } from '../volumes/index.ts';
import type { ImageFacts } from './image-facts.ts';

export interface InstanceVolumesContext {
  readonly volumes: Volumes;
  readonly backendName: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Folders of the host, by the path that they have in the container. */
export type Binds = ReadonlyMap<string, string>;

/** What was made on the way; filled also when a later step fails. */
export interface VolumesMade {
  readonly created: VolumeName[];
}

type LeaseIdentity = Pick<Lease, 'uuid' | 'tenant' | 'provider'>;

export class InstanceVolumes {
  readonly #context: InstanceVolumesContext;

  constructor(context: InstanceVolumesContext) {
    this.#context = context;
  }

  /** One after the other; `made` hears of each volume as soon as it exists. */
  async prepare(
    lease: LeaseIdentity,
    instance: Instance,
    facts: ImageFacts,
    made: VolumesMade,
  ): Promise<Binds> {
    const { volumes } = this.#context;
    const stateful = instance.profile.diskMb > 0 && facts.volumes.length > 0;
    if (!stateful) return new Map();
    const { name, path, created } = await volumes.obtain(
      this.#owner(lease, instance, instance.profile.diskMb),
    );
    if (created) made.created.push(name);
    return await statefulBinds(path, facts.volumes, facts.runAs);
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
