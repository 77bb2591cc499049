import { sameBytes } from '../wire/index.ts';
import { associationOf, grantOf } from './lease.ts';
import type { Dhcp6Message } from './message.ts';
import { dhcp6Status } from './options.ts';
import type { Dhcp6Config, Dhcp6Event, Dhcp6State, Dhcp6Timer, Exchange6, Ignored6 } from './state.ts';

/** A state in which a question is under way. */
type Asked = Extract<Dhcp6State, { readonly exchange: Exchange6 }>;

type Recognised = { readonly event: Dhcp6Event } | { readonly ignored: Ignored6 };

/** Does a message answer what we asked, and does it come from whom we asked? */
export function recogniseMessage6(state: Dhcp6State, message: Dhcp6Message, config: Dhcp6Config): Recognised {
  const { clientId, serverId } = message.options;
  if (!('exchange' in state)) return { ignored: 'unexpected' };
  if (message.type !== (state.phase === 'soliciting' ? 'advertise' : 'reply'))
    return { ignored: 'unexpected' };
  if (message.transactionId !== state.exchange.transactionId) return { ignored: 'wrong-transaction' };
  if (clientId === undefined || !sameBytes(clientId, config.clientId)) return { ignored: 'wrong-client-id' };
  const expected = expectedServer(state);
  if (serverId === undefined || (expected !== undefined && !sameBytes(serverId, expected))) {
    return { ignored: 'wrong-server' };
  }
  return recogniseAnswer(state, serverId, message, config);
}

function expectedServer(state: Dhcp6State): Uint8Array | undefined {
  if (state.phase === 'requesting') return state.server;
  if (state.phase === 'renewing' || state.phase === 'declining') return state.lease.server;
  return state.phase === 'releasing' ? state.released.server : undefined;
}

function recogniseAnswer(
  state: Asked,
  server: Uint8Array,
  message: Dhcp6Message,
  config: Dhcp6Config,
): Recognised {
  const status = message.options.status?.code ?? dhcp6Status.success;
  switch (state.phase) {
    case 'confirming':
      if (status === dhcp6Status.success) return { event: { kind: 'confirmed' } };
      return status === dhcp6Status.notOnLink ? { event: { kind: 'denied' } } : { ignored: 'no-addresses' };
    case 'declining':
    case 'releasing':
      return { event: { kind: 'acknowledged' } };
    case 'soliciting':
    case 'requesting':
    case 'renewing':
    case 'rebinding':
      return recogniseGrant(state, server, status, message, config);
    default:
      return state satisfies never;
  }
}

function recogniseGrant(
  state: Asked,
  server: Uint8Array,
  status: number,
  message: Dhcp6Message,
  config: Dhcp6Config,
): Recognised {
  const ia = associationOf(message, config.iaid);
  const iaStatus = ia?.status?.code ?? status;
  const refused = iaStatus !== dhcp6Status.success;
  if (refused && state.phase === 'requesting') return { event: { kind: 'denied' } };
  if (iaStatus === dhcp6Status.noBinding && state.phase !== 'soliciting')
    return { event: { kind: 'no-binding', server } };
  if (refused) return { ignored: 'no-addresses' };
  const grant = ia === undefined ? undefined : grantOf(server, ia, state.exchange.askedAtMs);
  if (ia === undefined || grant === undefined) return { ignored: 'unusable' };
  const nothing = grant.lease.addresses.length === 0;
  if (state.phase === 'soliciting') {
    if (nothing) return { ignored: 'no-addresses' };
    const offered = grant.lease.addresses.map(({ address }) => address);
    return {
      event: {
        kind: 'advertise',
        server,
        addresses: ia.addresses.filter(({ address }) => offered.includes(address)),
      },
    };
  }
  if (nothing && state.phase === 'requesting') return { event: { kind: 'denied' } };
  // A renewal that neither grants nor withdraws anything is no answer to our question.
  if (nothing && grant.withdrawn.length === 0) return { ignored: 'unusable' };
  return { event: { kind: 'granted', grant } };
}

interface Alarm {
  readonly timer: Dhcp6Timer;
  readonly atMs: number;
}

/** Everything that the state waits for, by weight: what ends something comes before what repeats it. */
function alarmsOf(state: Dhcp6State): readonly Alarm[] {
  const alarms: Alarm[] = [];
  const held = 'lease' in state ? state.lease : 'held' in state ? state.held : undefined;
  if (held !== undefined && held.addresses.length > 0) {
    const atMs = Math.min(...held.addresses.map(({ validUntilMs }) => validUntilMs));
    alarms.push({ timer: 'address-expired', atMs });
  }
  if (state.phase === 'checking') alarms.push({ timer: 'checked-enough', atMs: state.untilMs });
  if (state.phase === 'bound' || state.phase === 'renewing') {
    alarms.push({ timer: 'rebind', atMs: state.lease.rebindAtMs });
    if (state.phase === 'bound') alarms.push({ timer: 'renew', atMs: state.lease.renewAtMs });
  }
  if ('exchange' in state) {
    alarms.push({ timer: 'give-up', atMs: state.exchange.endsAtMs });
    alarms.push({ timer: 'resend', atMs: state.exchange.resendAtMs });
  }
  if (state.phase === 'backing-off') alarms.push({ timer: 'backoff-over', atMs: state.untilMs });
  return alarms;
}

/** When the first alarm rings. */
export function nextWake6(state: Dhcp6State): number | undefined {
  const first = Math.min(...alarmsOf(state).map((alarm) => alarm.atMs));
  return Number.isFinite(first) ? first : undefined;
}

/** Of all alarms that are due the one that weighs most. */
export function dueAlarm6(state: Dhcp6State, nowMs: number): Dhcp6Timer | undefined {
  return alarmsOf(state).find((alarm) => alarm.atMs <= nowMs)?.timer;
}
