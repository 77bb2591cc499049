/** Looks at the network, and at the follower. */
import {
  type AttachmentDetails,
  type ContainerDetails,
  type ContainerSummary,
  composeMembership,
  type Engine,
  engineErrors,
  type NetworkDetails,
} from '@berth/engine';
import { projectOf } from '../reach.ts';
import type { Membership } from './plan.ts';

export type FollowDoor = {
  readonly containers: Pick<Engine['containers'], 'list' | 'inspect' | 'restart'>;
  readonly networks: Pick<Engine['networks'], 'inspect' | 'connect' | 'disconnect'>;
};

export interface Whom {
  readonly network: string;
  readonly target: string;
  readonly project: string | undefined;
}

/** What was seen, or at which of the looks it ended. */
export type Look =
  | { readonly kind: 'no network'; readonly error: unknown }
  | { readonly kind: 'no list'; readonly error: unknown }
  | { readonly kind: 'no follower' }
  | { readonly kind: 'no inspection'; readonly error: unknown; readonly follower: string }
  | {
      readonly kind: 'seen';
      readonly follower: ContainerDetails;
      readonly attachment: AttachmentDetails | undefined;
      readonly membership: Membership;
    };

/** A service of our project comes before a container of that name, and who runs before who does not. */
function findFollower(
  all: readonly ContainerSummary[],
  { target, project }: Whom,
): ContainerSummary | undefined {
  const wanted = target.replace(/^\//, '');
  const services = all.filter(({ labels }) => {
    const member = composeMembership(labels);
    return (
      project !== undefined && member?.project === project && member.service === wanted && !member.oneOff
    );
  });
  return (
    services.find(({ status }) => status === 'running') ??
    services[0] ??
    all.find(({ names }) => names.includes(wanted))
  );
}

export async function lookAtFollower(door: FollowDoor, whom: Whom, signal: AbortSignal): Promise<Look> {
  let network: NetworkDetails;
  try {
    network = await door.networks.inspect(whom.network, { signal });
  } catch (error) {
    return { kind: 'no network', error };
  }
  let all: readonly ContainerSummary[];
  try {
    all = await door.containers.list({ all: true }, { signal });
  } catch (error) {
    return { kind: 'no list', error };
  }
  const found = findFollower(all, whom);
  if (found === undefined) return { kind: 'no follower' };
  try {
    const follower = await door.containers.inspect(found.id, { signal });
    const attachment = follower.attachments[network.name];
    return { kind: 'seen', follower, attachment, membership: membershipOf(network, follower, all) };
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return { kind: 'no follower' };
    return { kind: 'no inspection', error, follower: found.id };
  }
}

/**
 * Fellows of the follower's own project are guests, too: two guests that wait for each other to be the last would keep the
 * network from being removed for good.
 */
function membershipOf(
  network: NetworkDetails,
  follower: ContainerDetails,
  all: readonly ContainerSummary[],
): Membership {
  const members = Object.keys(network.members);
  const isFollower = (id: string): boolean =>
    id === follower.id || (id.length >= 12 && follower.id.startsWith(id));
  const project = projectOf(follower.labels);
  const fellows = new Set(
    all.filter(({ labels }) => project !== undefined && projectOf(labels) === project).map(({ id }) => id),
  );
  const owner = projectOf(network.labels);
  const attachment = follower.attachments[network.name];
  // One that does not run has no endpoint; it gets one at its start, on the network whose id it remembers.
  const willJoin =
    attachment?.networkId === network.id && (!follower.state.running || attachment.endpointId !== undefined);
  return {
    networkId: network.id,
    attached: members.some(isFollower) || willJoin,
    storedId: attachment?.networkId,
    foreign: members.filter((id) => !isFollower(id) && !fellows.has(id)).length,
    abandoned:
      owner !== undefined && owner !== project && all.every(({ labels }) => projectOf(labels) !== owner),
  };
}
