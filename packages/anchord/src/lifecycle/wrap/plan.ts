/** F-49: which containers of a project are joined to others from outside, and what has to be done to them. */
import { parseAsideName, resolveContainer, sharedNetworkOf } from '@berth/engine';
import { isStrandedBy } from '../dead-namespaces.ts';
import type { LifeContainer } from '../observe.ts';
import { projectOf } from '../reach.ts';

/** On a wrap container: the name of its target. Whoever wraps may set it, and what we make anew carries it. */
export const wrapTargetLabel = 'anchord.wrap-target';

export interface WrapView {
  readonly project: string;
  readonly selfId: string;
  /** What was known before: the target's name by the wrap container's name. */
  readonly known: ReadonlyMap<string, string>;
  /** Names of containers that are gone, by id, as far as somebody remembers. */
  readonly formerNames: ReadonlyMap<string, string>;
}

interface Wrap {
  readonly container: LifeContainer;
  readonly reference: string;
  /** Undefined where nobody knows any more what the reference meant. */
  readonly targetName: string | undefined;
}

export type WrapStep = {
  readonly container: LifeContainer;
  readonly target: LifeContainer;
  readonly targetName: string;
  readonly reference: string;
} & (
  | { readonly do: 'recreate'; readonly starts: boolean }
  /** The target was restarted in place: the reference still holds, and a restart joins the new namespace. */
  | { readonly do: 'rejoin' }
  /** Docker tried to start it while the target was not there, and does not try again. */
  | { readonly do: 'start' }
);

const looksLikeId = (reference: string): boolean => /^[0-9a-f]{12,64}$/.test(reference);

export function wrapsOf(all: readonly LifeContainer[], view: WrapView): readonly Wrap[] {
  return all.flatMap((container) => {
    const reference = sharedNetworkOf(container.networkMode);
    const isOurs = projectOf(container.labels) === view.project && container.id !== view.selfId;
    if (reference === undefined || !isOurs || container.isAside || container.status === 'removing') return [];
    const resolved = resolveContainer(reference, all);
    if (resolved.kind === 'ambiguous') return [];
    const targetName =
      resolved.kind === 'found' ? plainName(resolved.container) : rememberedName(container, reference, view);
    return [{ container, reference, targetName }];
  });
}

/** One that is set aside is on its way out, and its successor has the name. */
const plainName = ({ name }: LifeContainer): string => parseAsideName(name)?.name ?? name;

function rememberedName(
  { name, labels }: LifeContainer,
  reference: string,
  { known, formerNames }: WrapView,
): string | undefined {
  if (!looksLikeId(reference)) return reference;
  return known.get(name) ?? labels[wrapTargetLabel] ?? formerNames.get(reference);
}

export function planWraps(all: readonly LifeContainer[], wraps: readonly Wrap[]): readonly WrapStep[] {
  const byName = new Map(all.flatMap((one) => one.names.map((name) => [name, one])));
  return wraps.flatMap(({ container, reference, targetName }): WrapStep[] => {
    const target = targetName === undefined ? undefined : byName.get(targetName);
    if (targetName === undefined || target?.status !== 'running') return [];
    const about = { container, target, targetName, reference };
    const lacked = container.look?.lacksOwner === true;
    const wasToRun = lacked && (container.look?.restarts === true || container.status === 'created');
    if (resolveContainer(reference, [target]).kind !== 'found')
      return [{ ...about, do: 'recreate', starts: container.status !== 'running' && wasToRun }];
    if (isStrandedBy(container, target)) return [{ ...about, do: 'rejoin' }];
    const stands = container.status === 'exited' || container.status === 'created';
    return stands && wasToRun ? [{ ...about, do: 'start' }] : [];
  });
}
