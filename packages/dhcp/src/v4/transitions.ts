import { arpAnnouncement, arpProbe } from '../frames/index.ts';
import type { Outcome } from '../table/table.ts';
import type { Mac } from '../wire/index.ts';
import type { Address4, Lease4 } from './lease.ts';
import { discover, reboot, release, renew, select } from './requests.ts';
import type { Dhcp4Action, Dhcp4Context, Dhcp4State, Exchange, InPhase, Loss4, Offer4 } from './state.ts';

export type Step4 = Outcome<Dhcp4State, Dhcp4Action>;

const second = 1000;
export const firstBackoffMs = second;
/** The waits between the sends of one question; after them comes patience. */
const burstMs = [5 * second, 10 * second, 20 * second] as const;
/** Finding a server and taking its offer, together. */
const acquisitionMs = 30 * second;
/** Asking for an address from before: two sends, then we go by what we remember. */
const rebootMs = 10 * second;
const shortestPatienceMs = 60 * second;
const longestPatienceMs = 3600 * second;
/** After a conflict the server gets time to notice (RFC 2131, 3.1.5). */
const afterConflictMs = 10 * second;

/** Probes as in RFC 5227, 2.1.1, but quicker: LANs have become faster than its numbers, and we listen on afterwards. */
const probing = { probes: 3, firstWithinMs: 200, apartMs: 400, jitterMs: 200, silenceMs: second } as const;
const announcementsApartMs = 2 * second;
const defenceApartMs = 10 * second;

const fraction = (context: Dhcp4Context): number => context.random / 0x1_0000_0000;

const common = ({ backoffMs, ignored }: Dhcp4State) => ({ backoffMs, ignored });

export const step = (state: Dhcp4State, ...actions: readonly Dhcp4Action[]): Step4 => ({ state, actions });

function question(context: Dhcp4Context, endsAtMs: number): Exchange {
  return {
    xid: context.random,
    askedAtMs: context.nowMs,
    sends: 1,
    resendAtMs: context.nowMs + burstMs[0],
    endsAtMs,
  };
}

/** The same question once more. After the first three sends it is a new one, or an answer would count from long ago. */
function again(exchange: Exchange, context: Dhcp4Context, deadlineMs: number): Exchange {
  const sends = exchange.sends + 1;
  const burst = burstMs[sends - 1];
  if (burst !== undefined) return { ...exchange, sends, resendAtMs: context.nowMs + burst };
  const patienceMs = Math.max(shortestPatienceMs, (deadlineMs - context.nowMs) / 2);
  return {
    ...exchange,
    xid: context.random,
    askedAtMs: context.nowMs,
    sends,
    resendAtMs: context.nowMs + Math.min(patienceMs, longestPatienceMs),
  };
}

export function startSelecting(
  state: Dhcp4State,
  context: Dhcp4Context,
  ...before: readonly Dhcp4Action[]
): Step4 {
  const exchange = question(context, context.nowMs + acquisitionMs);
  return step({ ...common(state), phase: 'selecting', exchange }, ...before, {
    kind: 'broadcast',
    message: discover(context.config, exchange.xid),
  });
}

export function rediscover(state: InPhase<'selecting'>, context: Dhcp4Context): Step4 {
  const exchange = again(state.exchange, context, state.exchange.endsAtMs);
  return step({ ...state, exchange }, { kind: 'broadcast', message: discover(context.config, exchange.xid) });
}

/** The request goes on under the number of the discovery, and within its time. */
export function takeOffer(state: InPhase<'selecting'>, offer: Offer4, context: Dhcp4Context): Step4 {
  const { xid, endsAtMs } = state.exchange;
  return step(
    { ...common(state), phase: 'requesting', offer, exchange: { ...question(context, endsAtMs), xid } },
    { kind: 'broadcast', message: select(context.config, xid, offer) },
  );
}

export function requestAgain(state: InPhase<'requesting'>, context: Dhcp4Context): Step4 {
  const exchange = again(state.exchange, context, state.exchange.endsAtMs);
  return step(
    { ...state, exchange },
    { kind: 'broadcast', message: select(context.config, exchange.xid, state.offer) },
  );
}

export function startRebooting(state: Dhcp4State, remembered: Lease4, context: Dhcp4Context): Step4 {
  const exchange = question(context, context.nowMs + rebootMs);
  return step(
    { ...common(state), phase: 'rebooting', exchange, remembered },
    { kind: 'broadcast', message: reboot(context.config, exchange.xid, remembered) },
  );
}

export function rebootAgain(state: InPhase<'rebooting'>, context: Dhcp4Context): Step4 {
  const exchange = again(state.exchange, context, state.exchange.endsAtMs);
  return step(
    { ...state, exchange },
    { kind: 'broadcast', message: reboot(context.config, exchange.xid, state.remembered) },
  );
}

/** Looks whether anybody uses the address before we do. */
export function startProbing(
  state: Dhcp4State,
  candidate: Lease4,
  held: Lease4 | undefined,
  context: Dhcp4Context,
): Step4 {
  const probeAtMs = context.nowMs + fraction(context) * probing.firstWithinMs;
  return step({ ...common(state), phase: 'probing', candidate, held, probesLeft: probing.probes, probeAtMs });
}

export function probe(state: InPhase<'probing'>, context: Dhcp4Context): Step4 {
  if (state.probesLeft === 0) return startApplying(state, state.candidate, state.held);
  const probesLeft = state.probesLeft - 1;
  const waitMs =
    probesLeft === 0 ? probing.silenceMs : probing.apartMs + fraction(context) * probing.jitterMs;
  return step(
    { ...state, probesLeft, probeAtMs: context.nowMs + waitMs },
    { kind: 'arp', packet: arpProbe(context.config.mac, state.candidate.address) },
  );
}

function startApplying(state: Dhcp4State, candidate: Lease4, held: Lease4 | undefined): Step4 {
  const { address, prefixLength, expiresAtMs } = candidate;
  return step(
    { ...common(state), phase: 'applying', candidate, held },
    { kind: 'add-address', address: { address, prefixLength }, expiresAtMs },
  );
}

const route = ({ router, routes, mtu }: Lease4): Dhcp4Action => ({ kind: 'route', router, routes, mtu });

/** The new address is on: only now the old ones go, so that there is never none. */
export function bind(state: InPhase<'applying'>, context: Dhcp4Context): Step4 {
  const lease = state.candidate;
  const { address, prefixLength, expiresAtMs } = lease;
  const announcements = { left: 1, atMs: context.nowMs + announcementsApartMs };
  const defendedAtMs = Number.NEGATIVE_INFINITY;
  return step(
    { ...common(state), phase: 'bound', backoffMs: firstBackoffMs, lease, announcements, defendedAtMs },
    { kind: 'drop-other-addresses', keep: { address, prefixLength }, expiresAtMs },
    route(lease),
    announce(lease, context),
    { kind: 'remember', lease },
    { kind: 'report', report: { kind: 'acquired', lease } },
  );
}

type Holding = InPhase<'bound' | 'renewing' | 'rebinding'>;

const announce = (lease: Lease4, context: Dhcp4Context): Dhcp4Action => ({
  kind: 'arp',
  packet: arpAnnouncement(context.config.mac, lease.address),
});

export function announceAgain<State extends Holding>(state: State, context: Dhcp4Context): Step4 {
  const announcements = {
    left: state.announcements.left - 1,
    atMs: context.nowMs + announcementsApartMs,
  };
  return step({ ...state, announcements }, announce(state.lease, context));
}

/** We stay, and say so, but no more often than RFC 5227 allows: on the word of anybody we do not give up an address. */
export function defend<State extends Holding>(state: State, mac: Mac, context: Dhcp4Context): Step4 {
  if (context.nowMs - state.defendedAtMs < defenceApartMs) return step(state);
  return step({ ...state, defendedAtMs: context.nowMs }, announce(state.lease, context), {
    kind: 'report',
    report: { kind: 'conflict', address: state.lease.address, mac, inUse: true },
  });
}

const holding = ({ backoffMs, ignored, lease, announcements, defendedAtMs }: Holding) => ({
  backoffMs,
  ignored,
  lease,
  announcements,
  defendedAtMs,
});

/** Asks the server that gave the lease, and nobody else. */
export function startRenewing(state: InPhase<'bound'>, context: Dhcp4Context): Step4 {
  const exchange = question(context, Number.POSITIVE_INFINITY);
  return step({ ...holding(state), phase: 'renewing', exchange }, renewal(state.lease, exchange, context));
}

export function renewAgain(state: InPhase<'renewing'>, context: Dhcp4Context): Step4 {
  const exchange = again(state.exchange, context, state.lease.rebindAtMs);
  return step({ ...state, exchange }, renewal(state.lease, exchange, context));
}

const renewal = (lease: Lease4, exchange: Exchange, { config }: Dhcp4Context): Dhcp4Action => ({
  kind: 'unicast',
  message: renew(config, exchange.xid, lease),
  from: lease.address,
  to: lease.server,
  toMac: lease.serverMac,
});

/** Asks whoever listens. */
export function startRebinding(state: Holding, context: Dhcp4Context): Step4 {
  const exchange = question(context, Number.POSITIVE_INFINITY);
  return step(
    { ...holding(state), phase: 'rebinding', exchange },
    { kind: 'broadcast', message: renew(context.config, exchange.xid, state.lease) },
  );
}

export function rebindAgain(state: InPhase<'rebinding'>, context: Dhcp4Context): Step4 {
  const exchange = again(state.exchange, context, state.lease.expiresAtMs);
  return step(
    { ...state, exchange },
    { kind: 'broadcast', message: renew(context.config, exchange.xid, state.lease) },
  );
}

/** More time for the same address changes nothing in the kernel; another address is tried on while the old one stays. */
export function extend(
  state: InPhase<'renewing' | 'rebinding'>,
  lease: Lease4,
  context: Dhcp4Context,
): Step4 {
  if (lease.address !== state.lease.address) return startProbing(state, lease, state.lease, context);
  if (lease.prefixLength !== state.lease.prefixLength) return startApplying(state, lease, state.lease);
  const { address, prefixLength, expiresAtMs } = lease;
  return step(
    { ...holding(state), phase: 'bound', backoffMs: firstBackoffMs, lease },
    { kind: 'extend-address', address: { address, prefixLength }, expiresAtMs },
    route(lease),
    { kind: 'remember', lease },
    { kind: 'report', report: { kind: 'renewed', lease } },
  );
}

const sameAddress = (left: Address4, right: Address4): boolean =>
  left.address === right.address && left.prefixLength === right.prefixLength;

/** The interface gets back what it had, and then loses the lease. */
export function letGo(lease: Lease4, { config }: Dhcp4Context): readonly Dhcp4Action[] {
  const { address, prefixLength } = lease;
  const restored = config.fallback.map(
    (fallback) => ({ kind: 'restore-address', address: fallback }) as const,
  );
  const stays = config.fallback.some((fallback) => sameAddress(fallback, lease));
  return [
    ...restored,
    ...(stays ? [] : [{ kind: 'drop-address', address: { address, prefixLength } } as const]),
    { kind: 'forget' },
  ];
}

/** The cycle has failed: a pause, each time twice as long, and then from the start. */
export function fail(
  state: Dhcp4State,
  reason: Loss4,
  context: Dhcp4Context,
  ...before: readonly Dhcp4Action[]
): Step4 {
  const { backoffMaxMs } = context.config;
  const leastMs = reason === 'conflict' ? afterConflictMs : 0;
  const backoffMs = Math.min(Math.max(state.backoffMs, leastMs), backoffMaxMs);
  return step(
    {
      ...common(state),
      phase: 'backing-off',
      untilMs: context.nowMs + backoffMs,
      backoffMs: Math.min(backoffMs * 2, backoffMaxMs),
    },
    ...before,
    { kind: 'report', report: { kind: 'lost', reason, backoffMs } },
  );
}

/** What we tried on does not fit. The lease that we still have keeps us going, and is asked for again in a while. */
export function giveUpTrying(
  state: InPhase<'probing' | 'applying'>,
  reason: Loss4,
  context: Dhcp4Context,
  ...before: readonly Dhcp4Action[]
): Step4 {
  const { held: lease } = state;
  if (lease === undefined) return fail(state, reason, context, ...before, { kind: 'forget' });
  const exchange = { ...question(context, Number.POSITIVE_INFINITY), sends: burstMs.length };
  return step(
    {
      ...common(state),
      phase: 'rebinding',
      lease,
      exchange: { ...exchange, resendAtMs: context.nowMs + shortestPatienceMs },
      announcements: { left: 0, atMs: context.nowMs },
      defendedAtMs: Number.NEGATIVE_INFINITY,
    },
    ...before,
  );
}

/** Hands the lease back if that is wanted, and takes the address off; what was there before it is not restored. */
export function stop(
  state: Dhcp4State,
  context: Dhcp4Context,
  ...leases: readonly (Lease4 | undefined)[]
): Step4 {
  const { config } = context;
  const actions = leases
    .filter((lease) => lease !== undefined)
    .flatMap((lease): readonly Dhcp4Action[] => {
      const { address, prefixLength, server, serverMac } = lease;
      const drop = { kind: 'drop-address', address: { address, prefixLength } } as const;
      if (!config.releaseOnStop) return [drop];
      const message = release(config, context.random, lease);
      return [
        { kind: 'unicast-frame', message, from: address, to: server, toMac: serverMac },
        drop,
        { kind: 'forget' },
        { kind: 'report', report: { kind: 'released', lease } },
      ];
    });
  return step({ ...common(state), phase: 'stopped' }, ...actions);
}
