/** F-48: what a follower of somebody else's network has to do, from what happened and from what is seen. */

/** Where the follower stands with the network. */
export interface Membership {
  readonly networkId: string;
  /** It is attached to this very network: it is on it, or will be at its next start. */
  readonly attached: boolean;
  /** The id under which the follower remembers a network of this name. */
  readonly storedId: string | undefined;
  /** How many others are on it. */
  readonly foreign: number;
  /** A Compose project made it, and of that project no container is left: it is on its way down, or died on the way up. */
  readonly abandoned: boolean;
}

export type Trigger = 'bootstrap' | 'poll' | 'create' | 'destroy' | 'connect' | 'disconnect';

/** What is remembered from one look to the next. */
export interface FollowState {
  /** The follower is detached, on purpose or in effect, and waits for the network's owner. */
  readonly parked: boolean;
  /** The network on which others were seen last: only an owner that was there can have gone. */
  readonly inhabited: string | undefined;
}

export type FollowAction =
  | { readonly do: 'nothing' }
  | { readonly do: 'say'; readonly word: 'attached' | 'released' | 'destroyed' | 'empty' }
  /** Off the network, so that its owner can remove it. */
  | { readonly do: 'release' }
  | { readonly do: 'reattach'; readonly word: 'divergence' }
  | { readonly do: 'settle'; readonly word: 'created' | 'returning' | 'missed' };

export interface FollowDecision {
  readonly action: FollowAction;
  readonly state: FollowState;
}

/** `seen` is undefined where there is no such network. */
export function planFollow(
  trigger: Trigger,
  state: FollowState,
  seen: Membership | undefined,
): FollowDecision {
  const inhabited = seen !== undefined && seen.foreign > 0 ? seen.networkId : state.inhabited;
  const next = { ...state, inhabited };
  const park = { ...next, parked: true };
  switch (trigger) {
    case 'create':
      return { action: { do: 'settle', word: 'created' }, state: next };
    case 'destroy':
      return { action: { do: 'say', word: 'destroyed' }, state: park };
    case 'connect':
      return { action: state.parked ? { do: 'settle', word: 'returning' } : { do: 'nothing' }, state: next };
    case 'disconnect':
      if (state.parked || seen === undefined) return { action: { do: 'nothing' }, state: next };
      if (!seen.attached) return { action: { do: 'say', word: 'released' }, state: park };
      return { action: seen.foreign > 0 ? { do: 'nothing' } : { do: 'release' }, state: next };
    case 'bootstrap':
      if (seen === undefined) return { action: { do: 'nothing' }, state: park };
      if (seen.attached)
        return {
          action: isDeserted(seen) ? { do: 'release' } : { do: 'say', word: 'attached' },
          state: { ...next, parked: false },
        };
      // Nobody is there: whoever attached now would keep the owner from removing the network.
      if (seen.foreign === 0) return { action: { do: 'say', word: 'empty' }, state: park };
      return { action: { do: 'reattach', word: 'divergence' }, state: next };
    case 'poll':
      return planPoll(state, next, seen);
  }
}

/** Nobody will come and find us in the way, whoever was there before we looked for the first time. */
const isDeserted = ({ foreign, abandoned }: Membership): boolean => foreign === 0 && abandoned;

/** What the events should have told. */
function planPoll(state: FollowState, next: FollowState, seen: Membership | undefined): FollowDecision {
  const park = { ...next, parked: true };
  const nothing = { do: 'nothing' } as const;
  if (seen === undefined)
    return { action: state.parked ? nothing : { do: 'say', word: 'destroyed' }, state: park };
  if (seen.attached) {
    const ownerLeft = seen.foreign === 0 && state.inhabited === seen.networkId;
    return {
      action: ownerLeft || isDeserted(seen) ? { do: 'release' } : nothing,
      state: { ...next, parked: false },
    };
  }
  if (seen.foreign > 0) return { action: { do: 'settle', word: 'missed' }, state: next };
  return { action: state.parked ? nothing : { do: 'say', word: 'released' }, state: park };
}

export interface SettleLimits {
  readonly quietMs: number;
  readonly longestMs: number;
}

/** Since when the number of others has not changed. */
export interface Settling {
  readonly foreign: number;
  readonly sinceMs: number;
}

/** Others are there, and no more are coming; or it takes too long; `after` counts from the first look. */
export function planSettle(
  before: Settling | undefined,
  foreign: number,
  after: number,
  { quietMs, longestMs }: SettleLimits,
): { readonly outcome: 'ready' | 'wait' | 'timed out'; readonly settling: Settling } {
  const settling = before?.foreign === foreign ? before : { foreign, sinceMs: after };
  if (foreign > 0 && after - settling.sinceMs >= quietMs) return { outcome: 'ready', settling };
  return { outcome: after >= longestMs ? 'timed out' : 'wait', settling };
}
