/** What the DHCPv6 client does while it holds a lease. */
import type { Ipv6 } from '../wire/index.ts';
import { startRequesting, take } from './acquire.ts';
import { type Grant6, type Lease6, merged } from './lease.ts';
import { decline6, rebind6, renew6 } from './requests.ts';
import type { Dhcp6Action, Dhcp6Context, Exchange6, InPhase6, Loss6 } from './state.ts';
import {
  addressesIn,
  again,
  asking,
  common6,
  drop,
  fail6,
  patience,
  question,
  type Step6,
  step6,
  stillValid,
  without,
} from './steps.ts';

const afterRefusalMs = 60_000;

type Holding = InPhase6<'bound' | 'renewing' | 'rebinding'>;

const renewal = (context: Dhcp6Context, exchange: Exchange6, lease: Lease6): Dhcp6Action => ({
  kind: 'send',
  message: renew6(asking(context, exchange), lease),
});
const rebinding = (context: Dhcp6Context, exchange: Exchange6, lease: Lease6): Dhcp6Action => ({
  kind: 'send',
  message: rebind6(asking(context, exchange), lease),
});

/** Asks the server that gave the lease, and nobody else. */
export function startRenewing6(state: InPhase6<'bound'>, context: Dhcp6Context): Step6 {
  const exchange = question(context, patience.renew);
  const { lease } = state;
  return step6({ ...common6(state), phase: 'renewing', lease, exchange }, renewal(context, exchange, lease));
}

export function renewAgain6(state: InPhase6<'renewing'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.renew);
  return step6({ ...state, exchange }, renewal(context, exchange, state.lease));
}

/** Asks whoever listens. */
export function startRebinding6(state: Holding, context: Dhcp6Context): Step6 {
  const exchange = question(context, patience.renew);
  const { lease } = state;
  return step6(
    { ...common6(state), phase: 'rebinding', lease, exchange },
    rebinding(context, exchange, lease),
  );
}

export function rebindAgain6(state: InPhase6<'rebinding'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.renew);
  return step6({ ...state, exchange }, rebinding(context, exchange, state.lease));
}

export function extend6(
  state: InPhase6<'renewing' | 'rebinding'>,
  grant: Grant6,
  context: Dhcp6Context,
): Step6 {
  const lease = merged(state.lease, grant);
  if (lease.addresses.length > 0) return take(state, lease, state.lease, false, context);
  return fail6(state, 'withdrawn', context, ...addressesIn(state.lease).map(drop), { kind: 'forget' });
}

/** The server has lost its record of us: it is to make a new one of what we hold. */
export function requestHeld(
  state: InPhase6<'renewing' | 'rebinding'>,
  server: Uint8Array,
  context: Dhcp6Context,
): Step6 {
  const offered = state.lease.addresses.map(({ address }) => ({
    address,
    preferredSeconds: 0,
    validSeconds: 0,
  }));
  return startRequesting(state, server, offered, state.lease, context);
}

/** No lease from this server. What we hold keeps us going, and is asked for again in a while. */
export function refused(state: InPhase6<'requesting'>, reason: Loss6, context: Dhcp6Context): Step6 {
  const { held: lease } = state;
  if (lease === undefined) return fail6(state, reason, context);
  const exchange = { ...question(context, patience.renew), resendAtMs: context.nowMs + afterRefusalMs };
  return step6({ ...common6(state), phase: 'rebinding', lease, exchange });
}

/** Takes off what has run out; with nothing left the lease is over. */
export function expire<State extends InPhase6<'bound' | 'renewing' | 'rebinding' | 'checking' | 'declining'>>(
  state: State,
  context: Dhcp6Context,
): Step6 {
  const lease = stillValid(state.lease, context.nowMs);
  const gone = addressesIn(state.lease).filter((address) => !addressesIn(lease).includes(address));
  if (lease.addresses.length > 0 || state.phase === 'declining') {
    return step6({ ...state, lease }, ...gone.map(drop));
  }
  const outgoing = state.phase === 'checking' ? state.outgoing : [];
  return fail6(state, 'expired', context, ...[...gone, ...outgoing].map(drop), { kind: 'forget' });
}

export function expireHeld(state: InPhase6<'requesting'>, context: Dhcp6Context): Step6 {
  if (state.held === undefined) return step6(state);
  const rest = stillValid(state.held, context.nowMs);
  const gone = addressesIn(state.held).filter((address) => !addressesIn(rest).includes(address));
  return step6({ ...state, held: rest.addresses.length > 0 ? rest : undefined }, ...gone.map(drop));
}

/** Somebody else has the address: it goes at once, and the server hears of it. */
export function duplicate(
  state: InPhase6<'bound' | 'renewing' | 'rebinding' | 'checking' | 'declining'>,
  address: Ipv6,
  context: Dhcp6Context,
): Step6 {
  if (!addressesIn(state.lease).includes(address)) return step6(state);
  const exchange = question(context, patience.decline);
  const earlier = state.phase === 'declining' ? state.declined : [];
  const declined = [...earlier, address];
  const lease = without(state.lease, [address]);
  const outgoing = state.phase === 'checking' ? state.outgoing : [];
  return step6(
    { ...common6(state), phase: 'declining', exchange, lease, declined },
    ...[address, ...outgoing].map(drop),
    { kind: 'report', report: { kind: 'conflict', address } },
    { kind: 'send', message: decline6(asking(context, exchange), lease.server, declined) },
  );
}

export function declineAgain(state: InPhase6<'declining'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.decline);
  return step6(
    { ...state, exchange },
    { kind: 'send', message: decline6(asking(context, exchange), state.lease.server, state.declined) },
  );
}

/** The server knows, or does not want to know. */
export function declineDone(state: InPhase6<'declining'>, context: Dhcp6Context): Step6 {
  const { lease } = state;
  if (lease.addresses.length === 0) return fail6(state, 'duplicate', context, { kind: 'forget' });
  return step6(
    { ...common6(state), phase: 'bound', lease },
    { kind: 'remember', lease },
    { kind: 'report', report: { kind: 'acquired', lease } },
  );
}
