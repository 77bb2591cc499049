/** Every container of the host as plain values: the list, and a closer look at those who share a network namespace. */
import {
  type ContainerDetails,
  type ContainerStatus,
  type ContainerSummary,
  type Containers,
  engineErrors,
  isForWantOfNetworkOwner,
  parseAsideName,
  resolveContainer,
  sharedNetworkOf,
} from '@berth/engine';
import type { NamespaceMember } from './dead-namespaces.ts';

export interface LifeContainer extends NamespaceMember {
  /** The first of its names; the beginning of its id where it has none. */
  readonly name: string;
  readonly imageId: string;
  readonly status: ContainerStatus;
  /** A re-creation has set it aside: whoever is at work there brings it to its end. */
  readonly isAside: boolean;
  /** From an inspection; only of those who share a namespace, and of the owners. */
  readonly look: Look | undefined;
}

export interface Look {
  /** Its last start failed because the owner of the namespace was not there. */
  readonly lacksOwner: boolean;
  /** Docker is to start it again by itself: "always", "unless-stopped", "on-failure". */
  readonly restarts: boolean;
  readonly env: readonly string[];
}

function fromSummary(summary: ContainerSummary): LifeContainer {
  const { id, names, labels, networkMode, imageId, status } = summary;
  const name = names[0] ?? id.slice(0, 12);
  const isAside = parseAsideName(name) !== undefined;
  return { id, names, name, labels, networkMode, imageId, status, isAside, look: undefined };
}

function withLook(container: LifeContainer, { state, hostConfig, config }: ContainerDetails): LifeContainer {
  const policy = hostConfig.RestartPolicy?.Name ?? '';
  return {
    ...container,
    status: state.status,
    runningSince: state.running && !state.restarting ? state.startedAt : undefined,
    look: {
      lacksOwner: isForWantOfNetworkOwner(state.error),
      restarts: policy !== '' && policy !== 'no',
      env: config.Env ?? [],
    },
  };
}

/** What is gone between the list and the look is left out, as if the list had come later. */
export async function observeContainers(
  containers: Pick<Containers, 'list' | 'inspect'>,
  signal: AbortSignal,
): Promise<readonly LifeContainer[]> {
  const listed = (await containers.list({ all: true }, { signal })).map(fromSummary);
  const wanted = new Set(listed.flatMap((container) => involved(container, listed)));
  const looks = await Promise.all(
    listed.map(async (container) =>
      wanted.has(container.id) ? await lookAt(containers, container, signal) : container,
    ),
  );
  return looks.filter((container) => container !== undefined);
}

function involved(container: LifeContainer, all: readonly LifeContainer[]): readonly string[] {
  const reference = sharedNetworkOf(container.networkMode);
  if (reference === undefined) return [];
  const owner = resolveContainer(reference, all);
  return owner.kind === 'found' ? [container.id, owner.container.id] : [container.id];
}

async function lookAt(
  containers: Pick<Containers, 'inspect'>,
  container: LifeContainer,
  signal: AbortSignal,
): Promise<LifeContainer | undefined> {
  try {
    return withLook(container, await containers.inspect(container.id, { signal }));
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return undefined;
    throw error;
  }
}
