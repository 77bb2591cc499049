/**
 * What a host makes of router advertisements (RFC 4861, 4862): addresses of its own, and a default router. For interfaces
 * on which the kernel leaves that alone, because it forwards.
 */
import type { RouterAdvertisement, RouterPreference } from '../frames/index.ts';
import { type Ipv6, ipv6Bytes, ipv6FromBytes, isGlobalHostIpv6, type Mac, macBytes } from '../wire/index.ts';

export interface AdvertisedAddress {
  readonly address: Ipv6;
  readonly prefixLength: 64;
  readonly preferredUntilMs: number;
  readonly validUntilMs: number;
}

/** Everything with this prefix is a neighbour. */
export interface OnLinkPrefix {
  readonly prefix: Ipv6;
  readonly prefixLength: number;
  readonly untilMs: number;
}

export interface AdvertisedRouter {
  readonly address: Ipv6;
  readonly preference: RouterPreference;
  readonly untilMs: number;
}

export interface Advertised {
  readonly addresses: readonly AdvertisedAddress[];
  readonly onLink: readonly OnLinkPrefix[];
  readonly routers: readonly AdvertisedRouter[];
}

export const nothingAdvertised: Advertised = { addresses: [], onLink: [], routers: [] };

/** Anybody on the link can advertise; more than this is no network but an attack. */
const most = { addresses: 16, prefixes: 16, routers: 16 } as const;
/** What an unsigned advertisement can not take away from an address (RFC 4862, 5.5.3). */
const protectedMs = 2 * 3600 * 1000;
const forEver = 0xffff_ffff;

interface Heard {
  readonly source: Ipv6;
  readonly advertisement: RouterAdvertisement;
  /** Of our interface. */
  readonly mac: Mac;
  readonly nowMs: number;
}

/** Takes an advertisement in; answers what holds now, and the addresses whose times it has set. */
export function heardAdvertisement(
  before: Advertised,
  { source, advertisement, mac, nowMs }: Heard,
): { readonly now: Advertised; readonly changed: readonly AdvertisedAddress[] } {
  const known = new Map(still(before.addresses, nowMs).map((each) => [each.address, each]));
  const changed: AdvertisedAddress[] = [];
  for (const prefix of advertisement.prefixes) {
    const { autonomous, prefixLength, validSeconds, preferredSeconds } = prefix;
    if (!autonomous || prefixLength !== 64 || preferredSeconds > validSeconds) continue;
    const address = madeAddress(prefix.prefix, mac);
    const present = known.get(address);
    if (
      !isGlobalHostIpv6(address) ||
      (present === undefined && (validSeconds === 0 || known.size >= most.addresses))
    ) {
      continue;
    }
    const validUntilMs = validity(nowMs, validSeconds, present);
    const preferredUntilMs = Math.min(untilMs(nowMs, preferredSeconds), validUntilMs);
    const made = { address, prefixLength, preferredUntilMs, validUntilMs } as const;
    known.set(address, made);
    changed.push(made);
  }
  const routers = heardRouter(before.routers, { source, advertisement, nowMs });
  const onLink = heardOnLink(alive(before.onLink, nowMs), advertisement, nowMs);
  return { now: { addresses: [...known.values()], onLink, routers }, changed };
}

/** What holds without a further word from anybody. */
export const afterTime = ({ addresses, onLink, routers }: Advertised, nowMs: number): Advertised => ({
  addresses: still(addresses, nowMs),
  onLink: alive(onLink, nowMs),
  routers: alive(routers, nowMs),
});

/** The router to use: the one that is preferred most, and among equals the one that has been there longest. */
export function defaultRouter({ routers }: Advertised): Ipv6 | undefined {
  const rank = { high: 0, medium: 1, low: 2 } as const;
  const [best] = [...routers].sort((a, b) => rank[a.preference] - rank[b.preference]);
  return best?.address;
}

/** When something runs out by itself; nothing while all is for ever. */
export function nextExpiryMs({ addresses, onLink, routers }: Advertised): number | undefined {
  const next = Math.min(
    ...addresses.map(({ validUntilMs }) => validUntilMs),
    ...[...onLink, ...routers].map((each) => each.untilMs),
  );
  return Number.isFinite(next) ? next : undefined;
}

/** The address that an interface makes of a prefix and its MAC (RFC 4291, appendix A), as the kernel does. */
export function madeAddress(prefix: Ipv6, mac: Mac): Ipv6 {
  const [first = 0, second = 0, third = 0, ...rest] = macBytes(mac);
  return ipv6FromBytes(
    Uint8Array.from([...ipv6Bytes(prefix).subarray(0, 8), first ^ 2, second, third, 0xff, 0xfe, ...rest]),
  );
}

const untilMs = (nowMs: number, seconds: number): number =>
  seconds === forEver ? Number.POSITIVE_INFINITY : nowMs + seconds * 1000;

const still = (addresses: readonly AdvertisedAddress[], nowMs: number): readonly AdvertisedAddress[] =>
  addresses.filter(({ validUntilMs }) => validUntilMs > nowMs);

const alive = <T extends { readonly untilMs: number }>(each: readonly T[], nowMs: number): readonly T[] =>
  each.filter(({ untilMs: endMs }) => endMs > nowMs);

/** Anybody could say that our address is over: it keeps two hours, or what it had left of them. */
function validity(nowMs: number, seconds: number, present: AdvertisedAddress | undefined): number {
  const told = untilMs(nowMs, seconds);
  if (present === undefined || seconds * 1000 > protectedMs || told > present.validUntilMs) return told;
  return Math.min(present.validUntilMs, nowMs + protectedMs);
}

function heardRouter(
  before: readonly AdvertisedRouter[],
  { source, advertisement, nowMs }: Omit<Heard, 'mac'>,
): readonly AdvertisedRouter[] {
  const { lifetimeSeconds, preference } = advertisement;
  const present = alive(before, nowMs);
  const router = { address: source, preference, untilMs: nowMs + lifetimeSeconds * 1000 };
  if (lifetimeSeconds === 0) return present.filter(({ address }) => address !== source);
  if (present.some(({ address }) => address === source)) {
    return present.map((each) => (each.address === source ? router : each));
  }
  return present.length < most.routers ? [...present, router] : present;
}

function heardOnLink(
  before: readonly OnLinkPrefix[],
  { prefixes }: RouterAdvertisement,
  nowMs: number,
): readonly OnLinkPrefix[] {
  let now = before;
  for (const { prefix, prefixLength, onLink, validSeconds } of prefixes) {
    // A router that could claim all of the Internet, or what is the link's by itself, would claim too much.
    if (!onLink || prefixLength === 0 || !isGlobalHostIpv6(prefix)) continue;
    const others = now.filter((each) => each.prefix !== prefix || each.prefixLength !== prefixLength);
    const heard = { prefix, prefixLength, untilMs: untilMs(nowMs, validSeconds) };
    if (validSeconds === 0) now = others;
    else if (others.length < most.prefixes) now = [...others, heard];
  }
  return now;
}
