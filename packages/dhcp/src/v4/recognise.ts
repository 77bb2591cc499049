import { claimsAddress, probesAddress } from '../frames/index.ts';
import { sameBytes } from '../wire/index.ts';
import { leaseOf } from './lease.ts';
import type {
  Dhcp4Config,
  Dhcp4Event,
  Dhcp4Input,
  Dhcp4State,
  Dhcp4Timer,
  Exchange,
  Ignored4,
} from './state.ts';

type Recognised = { readonly event: Dhcp4Event } | { readonly ignored: Ignored4 } | undefined;

type Received = Extract<Dhcp4Input, { readonly kind: 'received' }>;

/** Does a message answer what we asked, and does it come from whom we asked? */
export function recogniseMessage(
  state: Dhcp4State,
  { message, sourceMac }: Received,
  config: Dhcp4Config,
): Recognised {
  const { clientId } = message.options;
  const exchange = exchangeOf(state);
  if (message.chaddr !== config.mac) return { ignored: 'wrong-mac' };
  if (message.op !== 'reply' || exchange === undefined) return { ignored: 'unexpected' };
  if (message.xid !== exchange.xid) return { ignored: 'wrong-xid' };
  // A server that echoes the identifier (RFC 6842) tells two clients behind one MAC apart.
  if (clientId !== undefined && config.clientId !== undefined && !sameBytes(clientId, config.clientId)) {
    return { ignored: 'wrong-client-id' };
  }
  const { serverId } = message.options;
  const expected = expectedServer(state);
  if (serverId === undefined || (expected !== undefined && serverId !== expected))
    return { ignored: 'wrong-server' };

  if (message.type === 'nak' && state.phase !== 'selecting') return { event: { kind: 'nak' } };
  if (message.type !== (state.phase === 'selecting' ? 'offer' : 'ack')) return { ignored: 'unexpected' };
  const lease = leaseOf(message, sourceMac, exchange.askedAtMs);
  if (lease === undefined) return { ignored: 'unusable' };
  if (message.type === 'ack') return { event: { kind: 'ack', lease } };
  return { event: { kind: 'offer', offer: { address: lease.address, server: lease.server } } };
}

const exchangeOf = (state: Dhcp4State): Exchange | undefined =>
  'exchange' in state ? state.exchange : undefined;

/** Before we took an offer, and when we ask everybody, any server will do. */
function expectedServer(state: Dhcp4State) {
  if (state.phase === 'requesting') return state.offer.server;
  if (state.phase === 'renewing') return state.lease.server;
  return undefined;
}

/** Does an ARP packet show that our address, or the one that we try on, is somebody else's? */
export function recogniseArp(
  state: Dhcp4State,
  { packet }: Extract<Dhcp4Input, { readonly kind: 'heard-arp' }>,
  config: Dhcp4Config,
): Recognised {
  const conflict = { event: { kind: 'conflict', mac: packet.senderMac } } as const;
  if (state.phase === 'probing') {
    const { address } = state.candidate;
    const taken = claimsAddress(packet, address, config.mac) || probesAddress(packet, address, config.mac);
    return taken ? conflict : undefined;
  }
  return 'lease' in state && claimsAddress(packet, state.lease.address, config.mac) ? conflict : undefined;
}

interface Alarm {
  readonly timer: Dhcp4Timer;
  readonly atMs: number;
}

/** Everything that the state waits for, by weight: what ends something comes before what repeats it. */
function alarmsOf(state: Dhcp4State): readonly Alarm[] {
  const alarms: Alarm[] = [];
  if ('held' in state) {
    if (state.held !== undefined) alarms.push({ timer: 'expired', atMs: state.held.expiresAtMs });
    alarms.push({ timer: 'candidate-expired', atMs: state.candidate.expiresAtMs });
  }
  if ('lease' in state) {
    alarms.push({ timer: 'expired', atMs: state.lease.expiresAtMs });
    if (state.phase !== 'rebinding') alarms.push({ timer: 'rebind', atMs: state.lease.rebindAtMs });
    if (state.phase === 'bound') alarms.push({ timer: 'renew', atMs: state.lease.renewAtMs });
    if (state.announcements.left > 0) alarms.push({ timer: 'announce', atMs: state.announcements.atMs });
  }
  if ('exchange' in state) {
    alarms.push({ timer: 'give-up', atMs: state.exchange.endsAtMs });
    alarms.push({ timer: 'resend', atMs: state.exchange.resendAtMs });
  }
  if (state.phase === 'probing') alarms.push({ timer: 'probe', atMs: state.probeAtMs });
  if (state.phase === 'backing-off') alarms.push({ timer: 'backoff-over', atMs: state.untilMs });
  return alarms;
}

/** When the first alarm rings. */
export function nextWake(state: Dhcp4State): number | undefined {
  const first = Math.min(...alarmsOf(state).map((alarm) => alarm.atMs));
  return Number.isFinite(first) ? first : undefined;
}

/** Of all alarms that are due the one that weighs most: after a long sleep a lease is over, and not to be renewed. */
export function dueAlarm(state: Dhcp4State, nowMs: number): Dhcp4Timer | undefined {
  return alarmsOf(state).find((alarm) => alarm.atMs <= nowMs)?.timer;
}
