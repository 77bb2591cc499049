/** Builders for the containers that lifecycle planners look at. */
import type { LifeContainer, Look } from '../lifecycle/observe.ts';

const look: Look = { lacksOwner: false, restarts: true, env: [] };

/** A running container on a bridge, but for what is said otherwise. */
export function life(
  name: string,
  changes: Partial<LifeContainer> & { look?: Look | undefined } = {},
): LifeContainer {
  return {
    id: Buffer.from(name).toString('hex').padEnd(64, '0'),
    names: [name],
    name,
    labels: {},
    networkMode: 'bridge',
    imageId: 'sha256:1',
    status: 'running',
    runningSince: '2026-01-01T00:00:00Z',
    isAside: false,
    look,
    ...changes,
  };
}

/** It joins that one, and was started after it. */
export const joining = (
  name: string,
  owner: Pick<LifeContainer, 'id'> | string,
  changes: Partial<LifeContainer> = {},
): LifeContainer =>
  life(name, {
    networkMode: `container:${typeof owner === 'string' ? owner : owner.id}`,
    runningSince: '2026-01-01T00:00:01Z',
    ...changes,
  });

export const ofProject = (project: string, service = 'app'): Readonly<Record<string, string>> => ({
  'com.docker.compose.project': project,
  'com.docker.compose.service': service,
});

/** Created, and not started for want of its owner. */
export const waiting = (changes: Partial<LifeContainer> = {}): Partial<LifeContainer> => ({
  status: 'created',
  runningSince: undefined,
  look: { ...look, lacksOwner: true },
  ...changes,
});

/** Docker tried to start it while its owner did not run. */
export const stranded = (restarts = true): Partial<LifeContainer> => ({
  status: 'exited',
  runningSince: undefined,
  look: { ...look, lacksOwner: true, restarts },
});
