/** F-45: whether there is a service-anchor beside the target, in the target's namespace, and as it should be. */
import { resolveContainer, sharedNetworkOf } from '@berth/engine';
import { isStrandedBy } from './dead-namespaces.ts';
import type { LifeContainer } from './observe.ts';
import { gatewayDiffers, isManaged, managedLabels, recipeDiffers, type Self, type Spec } from './recipe.ts';

type RecreateReason = 'stale_netns' | 'image_drift' | 'gateway_changed' | 'recipe_changed';

export type ManagedStep =
  | { readonly do: 'create managed'; readonly target: LifeContainer; readonly spec: Spec }
  | {
      readonly do: 'recreate managed';
      readonly anchor: LifeContainer;
      readonly target: LifeContainer;
      readonly reason: RecreateReason;
      readonly spec: Spec;
      readonly ownImageId: string;
    }
  | { readonly do: 'start managed'; readonly anchor: LifeContainer; readonly target: LifeContainer }
  /** The target was restarted in place: a restart joins its new namespace. */
  | { readonly do: 'restart managed'; readonly anchor: LifeContainer; readonly target: LifeContainer };

/** What keeps us from doing anything. */
export type ManagedObstacle =
  | { readonly kind: 'no target' | 'busy' | 'fine' }
  /** A container has the name of the recipe and is not one of ours, or another anchor's. */
  | { readonly kind: 'foreign'; readonly container: LifeContainer; readonly owner: string };

export interface ManagedView {
  readonly spec: Spec;
  readonly self: Self;
  /** Only at the start, so that noise of events can not churn anchors. */
  readonly checksImage: boolean;
}

export function planManaged(
  all: readonly LifeContainer[],
  { spec, self, checksImage }: ManagedView,
): ManagedStep | ManagedObstacle {
  const resolved = resolveContainer(spec.target, all);
  const anchor = all.find(({ names }) => names.includes(spec.name));
  if (resolved.kind !== 'found' || resolved.container.status !== 'running') return { kind: 'no target' };
  const target = resolved.container;
  if (anchor === undefined) {
    // One of ours that is set aside comes back under its name, or is replaced.
    const aside = all.some(({ isAside, name }) => isAside && name.startsWith(`${spec.name}.berth-`));
    return aside ? { kind: 'busy' } : { do: 'create managed', target, spec };
  }
  const owner = foreignOwner(anchor, self, all);
  if (owner !== undefined) return { kind: 'foreign', container: anchor, owner };
  if (anchor.status === 'removing' || anchor.status === 'paused') return { kind: 'busy' };
  const reason = whyRecreate(anchor, target, { spec, self, checksImage });
  if (reason === undefined && isStrandedBy(anchor, target)) return { do: 'restart managed', anchor, target };
  if (reason !== undefined)
    return { do: 'recreate managed', anchor, target, reason, spec, ownImageId: self.imageId };
  // One that was merely created is a sibling that waits for its target.
  return anchor.status === 'running' || anchor.status === 'created'
    ? { kind: 'fine' }
    : { do: 'start managed', anchor, target };
}

/** Who it belongs to, if not to us. An owner that is gone owns nothing any more. */
function foreignOwner(anchor: LifeContainer, self: Self, all: readonly LifeContainer[]): string | undefined {
  if (!isManaged(anchor)) return '';
  const owner = anchor.labels[managedLabels.owner] ?? '';
  if (owner === '' || owner === self.name) return undefined;
  return all.some(({ names }) => names.includes(owner)) ? owner : undefined;
}

function whyRecreate(
  anchor: LifeContainer,
  target: LifeContainer,
  { spec, self, checksImage }: ManagedView,
): RecreateReason | undefined {
  if (isElsewhere(anchor, target)) return 'stale_netns';
  // What does not run is started first: it may be as it should be.
  if (anchor.status !== 'running') return undefined;
  const drifted = !spec.imageIsPinned && anchor.imageId !== '' && self.imageId !== '';
  if (checksImage && drifted && anchor.imageId !== self.imageId) return 'image_drift';
  if (recipeDiffers(anchor, spec)) return 'recipe_changed';
  return !spec.gatewayIsGuess && gatewayDiffers(anchor, spec) ? 'gateway_changed' : undefined;
}

/** Modes of another kind are somebody's wish. */
function isElsewhere({ networkMode }: LifeContainer, target: LifeContainer): boolean {
  const reference = sharedNetworkOf(networkMode);
  if (reference === undefined) return false;
  const joined = resolveContainer(reference, [target]);
  return joined.kind !== 'found';
}
