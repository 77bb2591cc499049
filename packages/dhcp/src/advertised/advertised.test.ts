import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PrefixInformation, RouterAdvertisement } from '../frames/index.ts';
import { type Ipv6, type Mac, parseIpv6, parseMac } from '../wire/index.ts';
import {
  type Advertised,
  afterTime,
  defaultRouter,
  heardAdvertisement,
  madeAddress,
  nextExpiryMs,
  nothingAdvertised,
} from './index.ts';

const ipv6 = (text: string): Ipv6 => parseIpv6(text) ?? expect.fail(text);
const mac: Mac = parseMac('02:42:0a:63:00:29') ?? expect.fail('mac');
const router = ipv6('fe80::1');
const made = 'fd99::42:aff:fe63:29';
const hourMs = 3_600_000;

const prefix = (changes: Partial<PrefixInformation> = {}): PrefixInformation => ({
  prefix: ipv6('fd99::'),
  prefixLength: 64,
  onLink: true,
  autonomous: true,
  validSeconds: 86_400,
  preferredSeconds: 43_200,
  ...changes,
});

const advertisement = (changes: Partial<RouterAdvertisement> = {}): RouterAdvertisement => ({
  hopLimit: 64,
  managed: false,
  other: false,
  preference: 'medium',
  lifetimeSeconds: 1_800,
  reachableMs: 0,
  retransmitMs: 0,
  prefixes: [prefix()],
  routes: [],
  dnsServers: [],
  ...changes,
});

const hear = (
  before: Advertised,
  changes: Partial<RouterAdvertisement>,
  nowMs = 0,
  source = router,
): ReturnType<typeof heardAdvertisement> =>
  heardAdvertisement(before, { source, advertisement: advertisement(changes), mac, nowMs });

describe('an address from an advertisement', () => {
  it('is made of the prefix and the MAC, as the kernel makes it', () => {
    expect(madeAddress(ipv6('fd99::'), mac)).toBe(made);
  });

  it('comes with the times of the prefix', () => {
    expect(hear(nothingAdvertised, {}).changed).toEqual([
      {
        address: made,
        prefixLength: 64,
        preferredUntilMs: 12 * hourMs,
        validUntilMs: 24 * hourMs,
      },
    ]);
  });

  it.each([
    ['is not for making addresses', { autonomous: false }],
    ['is not 64 bits long', { prefixLength: 56 }],
    ['is link-local', { prefix: ipv6('fe80::') }],
    ['is multicast', { prefix: ipv6('ff05::') }],
    ['is over', { validSeconds: 0, preferredSeconds: 0 }],
    ['is preferred for longer than it is valid', { validSeconds: 10, preferredSeconds: 11 }],
  ])('is not made of a prefix that %s', (_, changes) => {
    expect(hear(nothingAdvertised, { prefixes: [prefix(changes)] }).now.addresses).toEqual([]);
  });

  it('keeps two hours when somebody says that its prefix is over, but is no longer preferred', () => {
    const { now } = hear(nothingAdvertised, {});
    const gone = hear(now, { prefixes: [prefix({ validSeconds: 0, preferredSeconds: 0 })] }, hourMs);
    expect(gone.changed).toMatchObject([{ preferredUntilMs: hourMs, validUntilMs: 3 * hourMs }]);
    const again = hear(
      gone.now,
      { prefixes: [prefix({ validSeconds: 0, preferredSeconds: 0 })] },
      2 * hourMs,
    );
    expect(again.changed).toMatchObject([{ validUntilMs: 3 * hourMs }]);
  });

  it('is for ever when the prefix is', () => {
    const forEver = prefix({ validSeconds: 0xffff_ffff, preferredSeconds: 0xffff_ffff });
    expect(hear(nothingAdvertised, { prefixes: [forEver] }).changed).toMatchObject([
      { preferredUntilMs: Number.POSITIVE_INFINITY, validUntilMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('is over with its time', () => {
    const { now } = hear(nothingAdvertised, { lifetimeSeconds: 0, prefixes: [prefix({ onLink: false })] });
    expect(nextExpiryMs(now)).toBe(24 * hourMs);
    expect(afterTime(now, 24 * hourMs)).toEqual(nothingAdvertised);
  });

  it('stands beside those of other prefixes, of which there are not without end', () => {
    const { now } = hear(nothingAdvertised, {
      prefixes: Array.from({ length: 40 }, (_, index) => prefix({ prefix: ipv6(`fd99:${index}::`) })),
    });
    expect(now.addresses).toHaveLength(16);
  });
});

describe('what is a neighbour', () => {
  const onLink = (changes: Partial<PrefixInformation>, before = nothingAdvertised, nowMs = 0) =>
    hear(before, { prefixes: [prefix(changes)] }, nowMs).now;

  it('is what the router says, for as long as it says, whether addresses are made of it or not', () => {
    const now = onLink({ autonomous: false, prefixLength: 56 });
    expect(now.onLink).toEqual([{ prefix: 'fd99::', prefixLength: 56, untilMs: 24 * hourMs }]);
    expect(onLink({ prefixLength: 56, validSeconds: 0, preferredSeconds: 0 }, now, hourMs).onLink).toEqual(
      [],
    );
    expect(afterTime(now, 24 * hourMs).onLink).toEqual([]);
  });

  it.each([
    ['all of the Internet', { prefix: ipv6('::'), prefixLength: 0 }],
    ['all of the Internet in halves', { prefix: ipv6('8000::'), prefixLength: 0 }],
    ['the link-local addresses', { prefix: ipv6('fe80::') }],
    ['what is not on the link', { onLink: false }],
  ])('is not %s', (_, changes) => {
    expect(onLink(changes).onLink).toEqual([]);
  });
});

describe('the default router', () => {
  const other = ipv6('fe80::2');

  it('is the one that was there first, until it goes', () => {
    const first = hear(nothingAdvertised, {}).now;
    const second = hear(first, {}, 0, other).now;
    expect(defaultRouter(second)).toBe(router);
    expect(defaultRouter(hear(second, { lifetimeSeconds: 0 }).now)).toBe(other);
  });

  it('is the one that is preferred', () => {
    const first = hear(nothingAdvertised, {}).now;
    expect(defaultRouter(hear(first, { preference: 'high' }, 0, other).now)).toBe(other);
    expect(defaultRouter(hear(first, { preference: 'low' }, 0, other).now)).toBe(router);
  });

  it('is nobody when its lifetime is over', () => {
    const { now } = hear(nothingAdvertised, { prefixes: [] });
    expect(nextExpiryMs(now)).toBe(1_800_000);
    expect(defaultRouter(afterTime(now, 1_800_000))).toBeUndefined();
  });
});

it('whatever is advertised: bounded, nothing beyond its time, no address preferred for longer than it is valid', () => {
  const anyPrefix = fc.record({
    prefix: fc.constantFrom(...['fd99::', 'fe80::', 'ff02::', '2001:db8:1::', '::'].map(ipv6)),
    prefixLength: fc.constantFrom(0, 48, 64, 128),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validSeconds: fc.constantFrom(0, 1, 7_200, 7_201, 0xffff_ffff),
    preferredSeconds: fc.constantFrom(0, 1, 7_200, 7_201, 0xffff_ffff),
  });
  const anyWord = fc.record({
    waitMs: fc.nat(10_000_000),
    source: fc.constantFrom(...Array.from({ length: 40 }, (_, index) => ipv6(`fe80::${index + 1}`))),
    lifetimeSeconds: fc.constantFrom(0, 1, 9_000),
    prefixes: fc.array(anyPrefix, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(anyWord, { maxLength: 40 }), (words) => {
      let state = nothingAdvertised;
      let nowMs = 0;
      for (const { waitMs, source, ...changes } of words) {
        nowMs += waitMs;
        state = hear(state, changes, nowMs, source).now;
        expect(state.addresses.length).toBeLessThanOrEqual(16);
        expect(state.routers.length).toBeLessThanOrEqual(16);
        expect(state.onLink.length).toBeLessThanOrEqual(16);
        for (const { untilMs } of state.onLink) expect(untilMs).toBeGreaterThan(nowMs);
        for (const { preferredUntilMs, validUntilMs } of state.addresses) {
          expect(validUntilMs).toBeGreaterThan(nowMs);
          expect(preferredUntilMs).toBeLessThanOrEqual(validUntilMs);
        }
        for (const { untilMs } of state.routers) expect(untilMs).toBeGreaterThan(nowMs);
      }
    }),
  );
});
