import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelErrors } from '../errors.ts';
import {
  bitsOf,
  familyOf,
  type IpAddress,
  ipFromBytes,
  type Mac,
  macFromBytes,
  parseCidr,
  parseIp,
} from '../ip/index.ts';
import { MessageWriter, messages, type NetlinkMessage } from '../netlink/index.ts';
import { asNewAddress, readAddress, writeNewAddress } from './interface-address.ts';
import { readLink, writeLinkChange, writeNewLink } from './link.ts';
import { readNeighbour, writeNeighbour } from './neighbour.ts';
import { type NewRoute, readRoute, writeRoute } from './route.ts';
import { readRule } from './rule.ts';

function sent(body: (writer: MessageWriter) => void): NetlinkMessage {
  const writer = new MessageWriter();
  writer.message(24, 0, 1, body);
  return Array.from(messages(Buffer.from(writer.bytes)))[0]!;
}

const hex = (message: NetlinkMessage): string => message.payload.toString('hex');
const golden = (text: string): string => text.replace(/\s/g, '');

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
const ip = fc.oneof(ipv4, ipv6);
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes(bytes)!);
const link = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const lengthFor = (address: IpAddress): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: bitsOf(familyOf(address)) });

const route: fc.Arbitrary<NewRoute> = ip.chain((address) =>
  fc
    .record({
      prefixLength: fc.integer({ min: 1, max: bitsOf(familyOf(address)) }),
      hops: fc.array(
        fc.record({
          gateway: maybe(ip),
          link,
          onLink: fc.boolean(),
          weight: fc.integer({ min: 1, max: 256 }),
        }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      table: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      metric: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      protocol: fc.integer({ min: 0, max: 255 }),
      scope: fc.constantFrom('global' as const, 'link' as const, 'host' as const, '77' as const),
      type: fc.constantFrom('unicast' as const, 'local' as const, 'blackhole' as const, '200' as const),
      source: maybe(familyOf(address) === 4 ? ipv4 : ipv6),
      mtu: maybe(fc.integer({ min: 68, max: 65_535 })),
    })
    .map(({ prefixLength, hops: [first, ...otherHops], ...rest }) => ({
      destination: { address, prefixLength },
      ...first!,
      // A single hop has nothing to share with.
      ...(otherHops.length === 0 ? { weight: 1 } : {}),
      otherHops,
      ...rest,
    })),
);

describe('routes', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(route, (value) => {
        expect(readRoute(sent((writer) => writeRoute(writer, value)))).toEqual({
          ...value,
          expiresSeconds: undefined,
        });
      }),
    );
  });

  it('have the form that the kernel knows', () => {
    const message = sent((writer) =>
      writeRoute(writer, {
        destination: parseCidr('0.0.0.0/0'),
        gateway: parseIp('10.0.0.1'),
        link: 3,
        metric: 5,
        protocol: 200,
        onLink: true,
      }),
    );
    expect(hex(message)).toBe(
      golden(`02000000 fe c8 00 01 04000000
              0800 0f00 fe000000
              0800 0600 05000000
              0800 0500 0a000001
              0800 0400 03000000`),
    );
  });

  it('through a router of the other family say so', () => {
    const value = { destination: parseCidr('0.0.0.0/0'), gateway: parseIp('fe80::1'), link: 3 };
    const message = sent((writer) => writeRoute(writer, value));
    expect(hex(message)).toContain(golden('1600 1200 0a00 fe800000000000000000000000000001'));
    expect(readRoute(message)).toMatchObject({ gateway: 'fe80::1', link: 3 });
  });
});

describe('addresses', () => {
  const address = ip.chain((value) =>
    fc.record({
      address: fc.constant(value),
      prefixLength: lengthFor(value),
      link,
      peer: maybe((familyOf(value) === 4 ? ipv4 : ipv6).filter((peer) => peer !== value)),
      scope: fc.constantFrom('global' as const, 'link' as const, 'host' as const),
      validSeconds: fc.oneof(fc.integer({ min: 1, max: 2 ** 32 - 2 }), fc.constant(Number.POSITIVE_INFINITY)),
      preferredSeconds: fc.oneof(fc.nat(), fc.constant(Number.POSITIVE_INFINITY)),
      noPrefixRoute: fc.boolean(),
      protocol: fc.integer({ min: 0, max: 255 }),
    }),
  );

  it('come back as they were sent, never longer preferred than valid', () => {
    fc.assert(
      fc.property(address, ({ peer, ...rest }) => {
        const value = peer === undefined ? rest : { ...rest, peer };
        const read = readAddress(sent((writer) => writeNewAddress(writer, value)));
        expect(readAddress(sent((writer) => writeNewAddress(writer, asNewAddress(read!))))).toEqual(read);
        expect(read).toEqual({
          ...rest,
          peer,
          preferredSeconds: Math.min(rest.preferredSeconds, rest.validSeconds),
          broadcast: undefined,
          label: undefined,
          deprecated: false,
          tentative: false,
          dadFailed: false,
          secondary: false,
          permanent: false,
        });
      }),
    );
  });

  it('take a lifetime that does not fit for ever', () => {
    const value = { ...parseCidr('10.0.0.2/24'), link: 2, validSeconds: 2 ** 40, preferredSeconds: -5 };
    expect(readAddress(sent((writer) => writeNewAddress(writer, value)))).toMatchObject({
      validSeconds: Number.POSITIVE_INFINITY,
      preferredSeconds: 0,
    });
  });
});

describe('neighbours', () => {
  it('come back as they were sent', () => {
    const neighbour = fc.record({
      link,
      address: ip,
      mac,
      state: fc.constantFrom('reachable' as const, 'stale' as const, 'permanent' as const),
    });
    fc.assert(
      fc.property(neighbour, (value) => {
        expect(readNeighbour(sent((writer) => writeNeighbour(writer, value)))).toEqual({
          ...value,
          router: false,
          proxy: false,
        });
      }),
    );
  });
});

describe('links', () => {
  it('ask for a macvlan in the form that the kernel knows', () => {
    const message = sent((writer) =>
      writeNewLink(
        writer,
        {
          kind: 'macvlan',
          name: 'lan',
          parent: 4,
          mode: 'bridge',
          mac: '02:00:00:00:00:01' as Mac,
          up: true,
        },
        { link: undefined, peer: undefined },
      ),
    );
    expect(hex(message)).toBe(
      golden(`00000000 00000000 01000000 01000000
              0800 0300 6c616e00
              0a00 0100 020000000001 0000
              0800 0500 04000000
              1c00 1280
                0c00 0100 6d6163766c616e00
                0c00 0280 0800 0100 04000000`),
    );
  });

  it('change only what is named', () => {
    expect(hex(sent((writer) => writeLinkChange(writer, 7, { up: false })))).toBe(
      golden('00000000 07000000 00000000 01000000'),
    );
    expect(hex(sent((writer) => writeLinkChange(writer, 7, { master: null })))).toBe(
      golden('00000000 07000000 00000000 00000000 0800 0a00 00000000'),
    );
  });

  it('are not what a bridge says about its ports', () => {
    const header = Buffer.alloc(16);
    header.writeUInt8(7, 0);
    expect(readLink(sent((writer) => writer.raw(header)))).toBeUndefined();
  });
});

describe('every reader', () => {
  it.each([
    ['link', readLink, 16],
    ['address', readAddress, 8],
    ['route', readRoute, 12],
    ['neighbour', readNeighbour, 12],
    ['rule', readRule, 12],
  ])('of a %s ends in a value or in one clear error, whatever the bytes are', (_, read, headerBytes) => {
    const attribute = fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 24 })).map(
      ([type, value]) =>
        (writer: MessageWriter) =>
          writer.binary(type, value),
    );
    const garbage = fc.tuple(
      fc.constantFrom(0, 2, 7, 10),
      fc.uint8Array({ minLength: headerBytes - 1, maxLength: headerBytes - 1 }),
      fc.array(attribute, { maxLength: 8 }),
      fc.oneof(fc.constant(0), fc.nat(200)),
    );
    fc.assert(
      fc.property(garbage, ([family, header, attributes, cut]) => {
        const { payload, ...message } = sent((writer) => {
          writer.raw(Uint8Array.of(family, ...header));
          for (const write of attributes) write(writer);
        });
        try {
          read({ ...message, payload: payload.subarray(0, Math.max(0, payload.length - cut)) });
        } catch (error) {
          expect(kernelErrors.is(error, 'KERNEL_MALFORMED'), String(error)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
