import type { Clock } from '@berth/service';
import type { ContainerDetails, Containers } from '../containers/index.ts';
import { engineErrors } from '../errors.ts';
import type { Networks } from '../networks/index.ts';
import type { Observed } from './steps.ts';

/** As much of the engine as a re-creation needs. */
export interface RecreateDoor {
  readonly containers: Pick<
    Containers,
    'create' | 'inspect' | 'list' | 'remove' | 'rename' | 'start' | 'stop'
  >;
  readonly networks: Pick<Networks, 'connect'>;
  readonly clock: Clock;
}

/** The container, if there is one that `ref` means exactly: not one whose id happens to begin like it. */
export async function find(door: RecreateDoor, ref: string): Promise<ContainerDetails | undefined> {
  try {
    const found = await door.containers.inspect(ref);
    return found.id === ref || found.name === ref ? found : undefined;
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return undefined;
    throw error;
  }
}

export async function observe(door: RecreateDoor, oldId: string, name: string): Promise<Observed> {
  const [old, named] = await Promise.all([find(door, oldId), find(door, name)]);
  return { old, holder: named?.id === oldId ? undefined : named };
}
