/**
 * Who sits in a network namespace that nobody owns any more. Two things lead there: the owner is gone (and a container of
 * its name, if there is one, is another one), or the owner was started anew in place: then its id still matches, but its
 * namespace is a new one, and whoever joined the old one stayed behind.
 */
import { composeMembership, resolveContainer, sharedNetworkOf } from '@berth/engine';
import { isBefore } from './start-time.ts';

/** As much of a container as the question needs: a summary of Docker's list does, with or without `runningSince`. */
export interface NamespaceMember {
  readonly id: string;
  /** Without leading slashes; the container's own name first. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly networkMode: string;
  /** RFC 3339, from an inspection; absent while it does not run, or where nobody asked. */
  readonly runningSince?: string | undefined;
}

export interface DeadNamespace<Member extends NamespaceMember> {
  readonly container: Member;
  /** As it stands in the network mode. */
  readonly reference: string;
  readonly why: 'owner gone' | 'owner restarted';
  /** The owner, where it is still there. */
  readonly owner: Member | undefined;
  /** What an operator types; undefined where Compose does not know the container. */
  readonly recovery: string | undefined;
}

/**
 * `all` has to contain what does not run, too: an owner that is stopped keeps nobody in a dead namespace, because a start
 * of the dependent finds it again.
 */
export function deadNamespaces<Member extends NamespaceMember>(
  candidates: Iterable<Member>,
  all: Iterable<Member>,
): readonly DeadNamespace<Member>[] {
  const universe = [...all];
  return [...candidates].flatMap((container) => {
    const reference = sharedNetworkOf(container.networkMode);
    if (reference === undefined) return [];
    const resolved = resolveContainer(reference, universe);
    const owner = resolved.kind === 'found' ? resolved.container : undefined;
    const why = whyDead(container, resolved.kind, owner);
    const recovery = recoveryCommand(container.labels);
    return why === undefined ? [] : [{ container, reference, why, owner, recovery }];
  });
}

function whyDead(
  container: NamespaceMember,
  resolved: 'found' | 'missing' | 'ambiguous',
  owner: NamespaceMember | undefined,
): DeadNamespace<NamespaceMember>['why'] | undefined {
  if (resolved === 'missing') return 'owner gone';
  return owner !== undefined && isStrandedBy(container, owner) ? 'owner restarted' : undefined;
}

/** Nobody can join a namespace before its owner has made it, so who runs for longer sits in an earlier one. */
export const isStrandedBy = (
  container: Pick<NamespaceMember, 'runningSince'>,
  owner: Pick<NamespaceMember, 'runningSince'>,
): boolean => isBefore(container.runningSince, owner.runningSince);

export function recoveryCommand(labels: Readonly<Record<string, string>>): string | undefined {
  const membership = composeMembership(labels);
  return membership?.service === undefined
    ? undefined
    : `docker compose -p ${membership.project} up -d --no-deps --force-recreate ${membership.service}`;
}

/** The name under which a report shows a container. */
export const shownName = ({ id, names }: Pick<NamespaceMember, 'id' | 'names'>): string =>
  names[0] ?? id.slice(0, 12);
