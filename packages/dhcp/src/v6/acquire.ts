/** How the DHCPv6 client comes to a lease. */
import type { Ipv6 } from '../wire/index.ts';
import type { Lease6, LeasedAddress6 } from './lease.ts';
import type { IaAddress } from './options.ts';
import { confirm, request, solicit } from './requests.ts';
import type { Dhcp6Action, Dhcp6Context, Dhcp6State, InPhase6 } from './state.ts';
import {
  addressesIn,
  again,
  asking,
  common6,
  drop,
  fail6,
  firstBackoff6Ms,
  patience,
  question,
  type Step6,
  step6,
  without,
} from './steps.ts';

/** How long the kernel may look for another owner of an address until we take it for ours: two probes and some air. */
const checkingMs = 5000;

export function startSoliciting(
  state: Dhcp6State,
  context: Dhcp6Context,
  ...before: readonly Dhcp6Action[]
): Step6 {
  const exchange = question(context, patience.solicit);
  return step6({ ...common6(state), phase: 'soliciting', exchange }, ...before, {
    kind: 'send',
    message: solicit(asking(context, exchange)),
  });
}

export function solicitAgain(state: InPhase6<'soliciting'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.solicit);
  return step6({ ...state, exchange }, { kind: 'send', message: solicit(asking(context, exchange)) });
}

export function startRequesting(
  state: Dhcp6State,
  server: Uint8Array,
  offered: readonly IaAddress[],
  held: Lease6 | undefined,
  context: Dhcp6Context,
): Step6 {
  const exchange = question(context, patience.request);
  return step6(
    { ...common6(state), phase: 'requesting', exchange, server, offered, held },
    { kind: 'send', message: request(asking(context, exchange), server, offered) },
  );
}

export function requestAgain6(state: InPhase6<'requesting'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.request);
  return step6(
    { ...state, exchange },
    { kind: 'send', message: request(asking(context, exchange), state.server, state.offered) },
  );
}

export function startConfirming(state: Dhcp6State, remembered: Lease6, context: Dhcp6Context): Step6 {
  const exchange = question(context, patience.confirm);
  return step6(
    { ...common6(state), phase: 'confirming', exchange, remembered },
    { kind: 'send', message: confirm(asking(context, exchange), remembered) },
  );
}

export function confirmAgain(state: InPhase6<'confirming'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.confirm);
  return step6(
    { ...state, exchange },
    { kind: 'send', message: confirm(asking(context, exchange), state.remembered) },
  );
}

const put = ({ address, preferredUntilMs, validUntilMs }: LeasedAddress6): Dhcp6Action => ({
  kind: 'put-address',
  address,
  preferredUntilMs,
  validUntilMs,
});

/** Puts what the lease names on the interface. What is new there has to pass the kernel's check before the rest goes. */
export function take(
  state: Dhcp6State,
  lease: Lease6,
  held: Lease6 | undefined,
  fresh: boolean,
  context: Dhcp6Context,
): Step6 {
  const before = addressesIn(held);
  const now = addressesIn(lease);
  const checking: InPhase6<'checking'> = {
    ...common6(state),
    phase: 'checking',
    lease,
    pending: now.filter((address) => !before.includes(address)),
    outgoing: before.filter((address) => !now.includes(address)),
    untilMs: context.nowMs + checkingMs,
    fresh,
  };
  const actions = lease.addresses.map(put);
  if (checking.pending.length > 0) return step6(checking, ...actions);
  const { state: settled, actions: more } = settle(checking);
  return step6(settled, ...actions, ...more);
}

/** All new addresses can be used: only now the old ones go. */
function settle(state: InPhase6<'checking'>): Step6 {
  const { lease, outgoing, fresh } = state;
  return step6(
    { ...common6(state), phase: 'bound', backoffMs: firstBackoff6Ms, lease },
    ...outgoing.map(drop),
    { kind: 'remember', lease },
    { kind: 'report', report: { kind: fresh ? 'acquired' : 'renewed', lease } },
  );
}

export function checked(state: InPhase6<'checking'>, address: Ipv6): Step6 {
  if (!state.pending.includes(address)) return step6(state);
  const pending = state.pending.filter((each) => each !== address);
  const announce = { kind: 'announce', address } as const;
  if (pending.length > 0) return step6({ ...state, pending }, announce);
  const { state: settled, actions } = settle({ ...state, pending });
  return step6(settled, announce, ...actions);
}

/** The kernel has not said anything (no carrier, perhaps): it goes on checking, and we go on, too. */
export const checkedEnough = (state: InPhase6<'checking'>): Step6 => settle({ ...state, pending: [] });

export function applyFailed(state: InPhase6<'checking'>, address: Ipv6, context: Dhcp6Context): Step6 {
  const lease = without(state.lease, [address]);
  if (lease.addresses.length === 0) {
    return fail6(state, 'apply-failed', context, ...state.outgoing.map(drop), { kind: 'forget' });
  }
  return checked({ ...state, lease }, address);
}
