/** What all transitions of the DHCPv6 client are made of. */
import type { Outcome } from '../table/table.ts';
import type { Ipv6 } from '../wire/index.ts';
import type { Lease6 } from './lease.ts';
import { type Asking, release6 } from './requests.ts';
import type { Dhcp6Action, Dhcp6Context, Dhcp6State, Exchange6, InPhase6, Loss6 } from './state.ts';

export type Step6 = Outcome<Dhcp6State, Dhcp6Action>;

const second = 1000;
export const firstBackoff6Ms = second;

/** How often a question is repeated (RFC 8415, 7.6), and for how long; finding a server as deployed clients do. */
interface Patience {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly totalMs: number;
}
const forEver = Number.POSITIVE_INFINITY;
export const patience = {
  solicit: { firstMs: 5 * second, longestMs: 20 * second, totalMs: 30 * second },
  request: { firstMs: 5 * second, longestMs: 20 * second, totalMs: 30 * second },
  confirm: { firstMs: second, longestMs: 4 * second, totalMs: 10 * second },
  renew: { firstMs: 10 * second, longestMs: 600 * second, totalMs: forEver },
  decline: { firstMs: second, longestMs: 8 * second, totalMs: 15 * second },
  /** The container waits for it at its end. */
  release: { firstMs: second, longestMs: second, totalMs: 2 * second },
} as const satisfies Readonly<Record<string, Patience>>;

const afterDuplicateMs = 10 * second;

export const common6 = ({ backoffMs, solMaxRtMs, managed, ignored }: Dhcp6State) => ({
  backoffMs,
  solMaxRtMs,
  managed,
  ignored,
});

export const step6 = (state: Dhcp6State, ...actions: readonly Dhcp6Action[]): Step6 => ({ state, actions });

export function question({ nowMs, random }: Dhcp6Context, { firstMs, totalMs }: Patience): Exchange6 {
  return {
    transactionId: random >>> 8,
    startedAtMs: nowMs,
    askedAtMs: nowMs,
    sends: 1,
    waitMs: firstMs,
    resendAtMs: nowMs + firstMs,
    endsAtMs: nowMs + totalMs,
  };
}

export function again(exchange: Exchange6, { nowMs }: Dhcp6Context, { longestMs }: Patience): Exchange6 {
  const waitMs = Math.min(exchange.waitMs * 2, longestMs);
  return { ...exchange, sends: exchange.sends + 1, askedAtMs: nowMs, waitMs, resendAtMs: nowMs + waitMs };
}

export const asking = ({ config, nowMs }: Dhcp6Context, exchange: Exchange6): Asking => ({
  config,
  nowMs,
  exchange,
});

export const drop = (address: Ipv6): Dhcp6Action => ({ kind: 'drop-address', address });

export const addressesIn = (lease: Lease6 | undefined): readonly Ipv6[] =>
  lease === undefined ? [] : lease.addresses.map(({ address }) => address);

export const without = (lease: Lease6, gone: readonly Ipv6[]): Lease6 => ({
  ...lease,
  addresses: lease.addresses.filter(({ address }) => !gone.includes(address)),
});

export const stillValid = (lease: Lease6, nowMs: number): Lease6 => ({
  ...lease,
  addresses: lease.addresses.filter(({ validUntilMs }) => validUntilMs > nowMs),
});

/** The cycle has failed: a pause, each time twice as long, and then from the start. */
export function fail6(
  state: Dhcp6State,
  reason: Loss6,
  context: Dhcp6Context,
  ...before: readonly Dhcp6Action[]
): Step6 {
  const longestMs = Math.min(context.config.backoffMaxMs, state.solMaxRtMs);
  const silence = reason === 'no-advertise';
  const expected = silence && state.managed !== true;
  // The routers say that there is no server for addresses: it is worth a try now and then, in case they are wrong.
  const hopeless = silence && state.managed === false;
  const leastMs = reason === 'duplicate' ? afterDuplicateMs : 0;
  const backoffMs = hopeless ? longestMs : Math.min(Math.max(state.backoffMs, leastMs), longestMs);
  return step6(
    {
      ...common6(state),
      phase: 'backing-off',
      untilMs: context.nowMs + backoffMs,
      backoffMs: Math.min(backoffMs * 2, longestMs),
    },
    ...before,
    { kind: 'report', report: { kind: 'lost', reason, backoffMs, expected } },
  );
}

/** Takes everything off, and gives it back if that is wanted. */
export function stop6(
  state: Dhcp6State,
  context: Dhcp6Context,
  held: Lease6 | undefined,
  ...more: readonly Ipv6[]
): Step6 {
  const addresses = [...addressesIn(held), ...more].map(drop);
  if (held === undefined || held.addresses.length === 0 || !context.config.releaseOnStop) {
    return step6({ ...common6(state), phase: 'stopped' }, ...addresses);
  }
  const exchange = question(context, patience.release);
  return step6(
    { ...common6(state), phase: 'releasing', exchange, released: held },
    ...addresses,
    { kind: 'forget' },
    { kind: 'send', message: release6(asking(context, exchange), held) },
  );
}

export function releaseAgain(state: InPhase6<'releasing'>, context: Dhcp6Context): Step6 {
  const exchange = again(state.exchange, context, patience.release);
  return step6(
    { ...state, exchange },
    { kind: 'send', message: release6(asking(context, exchange), state.released) },
  );
}

export const released = (state: InPhase6<'releasing'>): Step6 =>
  step6(
    { ...common6(state), phase: 'stopped' },
    { kind: 'report', report: { kind: 'released', lease: state.released } },
  );
