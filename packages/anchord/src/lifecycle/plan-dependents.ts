/** Gets containers out of dead namespaces, as far as it is certain where they belong. */
import { resolveContainer, sharedNetworkOf } from '@berth/engine';
import { deadNamespaces } from './dead-namespaces.ts';
import { successorOf } from './lineage.ts';
import type { LifeContainer } from './observe.ts';
import { isWithin, type Reach } from './reach.ts';

export type RepairDependent =
  /** Its owner was replaced by an anchor: it is made anew in the namespace of the successor. */
  | {
      readonly do: 'rebind';
      readonly container: LifeContainer;
      readonly owner: LifeContainer;
      readonly reference: string;
      /** It would run, had its owner been there. */
      readonly starts: boolean;
    }
  /** Its owner was restarted in place: a restart joins the new namespace by the same reference. */
  | { readonly do: 'rejoin'; readonly container: LifeContainer; readonly owner: LifeContainer }
  /** Docker wanted to start it while its owner did not run, and does not try again. */
  | { readonly do: 'start stranded'; readonly container: LifeContainer; readonly owner: LifeContainer };

/** Owners first: whoever hangs on a container that is itself to be repaired has its turn at the next look. */
export function planDependents(all: readonly LifeContainer[], reach: Reach): readonly RepairDependent[] {
  const mine = all.filter((container) => !container.isAside && container.status !== 'removing');
  const repairs = [...planDead(mine, all, reach), ...planStranded(mine, all, reach)];
  const repaired = new Set(repairs.map(({ container }) => container.id));
  return repairs.filter(({ owner }) => !repaired.has(owner.id));
}

function planDead(
  candidates: readonly LifeContainer[],
  all: readonly LifeContainer[],
  reach: Reach,
): readonly RepairDependent[] {
  return deadNamespaces(candidates, all).flatMap(
    ({ container, reference, why, owner }): RepairDependent[] => {
      if (why === 'owner restarted')
        return owner?.status === 'running' && isWithin(reach, container)
          ? [{ do: 'rejoin', container, owner }]
          : [];
      const successor = successorOf(reference, all);
      if (successor === undefined || !isWithin(reach, successor)) return [];
      const starts = container.status !== 'running' && wasToRun(container);
      return successor.status === 'running'
        ? [{ do: 'rebind', container, owner: successor, reference, starts }]
        : [];
    },
  );
}

const wasToRun = ({ look, status }: LifeContainer): boolean =>
  look?.lacksOwner === true && (look.restarts || status === 'created');

function planStranded(
  candidates: readonly LifeContainer[],
  all: readonly LifeContainer[],
  reach: Reach,
): readonly RepairDependent[] {
  return candidates.flatMap((container): RepairDependent[] => {
    const reference = sharedNetworkOf(container.networkMode);
    if (reference === undefined || container.status !== 'exited') return [];
    if (!wasToRun(container) || !isWithin(reach, container)) return [];
    const owner = resolveContainer(reference, all);
    return owner.kind === 'found' && owner.container.status === 'running'
      ? [{ do: 'start stranded', container, owner: owner.container }]
      : [];
  });
}
