/** F-43: starts what was created and could not be started, because the owner of its namespace was not there yet. */
import { resolveContainer, sharedNetworkOf } from '@berth/engine';
import type { LifeContainer } from './observe.ts';
import { isWithin, type Reach } from './reach.ts';

export interface StartSibling {
  readonly do: 'start sibling';
  readonly container: LifeContainer;
  readonly target: LifeContainer;
}

/**
 * Beyond our reach only what somebody tried to start already: one that was merely created waits for whoever made it. What
 * has run before is left to Docker's restart policy.
 */
export function planSiblings(all: readonly LifeContainer[], reach: Reach): readonly StartSibling[] {
  return all.flatMap((container) => {
    const reference = sharedNetworkOf(container.networkMode);
    if (reference === undefined || container.status !== 'created' || container.isAside) return [];
    if (!isWithin(reach, container) && container.look?.lacksOwner !== true) return [];
    const target = resolveContainer(reference, all);
    return target.kind === 'found' && target.container.status === 'running'
      ? [{ do: 'start sibling', container, target: target.container }]
      : [];
  });
}
