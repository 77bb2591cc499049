import fc from 'fast-check';
import { type Dhcp4Message, type Dhcp4Options, dhcp4Message } from '../v4/index.ts';
import type { Dhcp6Message, Dhcp6Options, IaNa } from '../v6/index.ts';
import { type Ipv4, type Ipv6, ipv4FromBytes, ipv6FromBytes, type Mac, macFromBytes } from '../wire/index.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

export const anyMac: fc.Arbitrary<Mac> = bytes(6).map(macFromBytes);
export const anyIpv4: fc.Arbitrary<Ipv4> = bytes(4).map(ipv4FromBytes);
/** Zeros are common, so that the short forms of addresses come up. */
export const anyIpv6: fc.Arbitrary<Ipv6> = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, u16), { minLength: 8, maxLength: 8 })
  .map((groups) => ipv6FromBytes(Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 255]))));

const anyText = fc
  .string({ minLength: 1, maxLength: 400, unit: 'grapheme' })
  .filter((text) => !text.endsWith('\0'));
const anyLabel = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
const anyName = fc
  .array(anyLabel, { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length < 254);
const ipv4List = fc.array(anyIpv4, { minLength: 1, maxLength: 100 });

const anyRoute = fc
  .record({ bits: u32, prefixLength: fc.integer({ min: 0, max: 32 }), gateway: anyIpv4 })
  .map(({ bits, prefixLength, gateway }) => {
    const masked = prefixLength === 0 ? 0 : (bits & (0xffff_ffff << (32 - prefixLength))) >>> 0;
    const destination = ipv4FromBytes(Uint8Array.from([24, 16, 8, 0], (shift) => (masked >>> shift) & 255));
    return { destination, prefixLength, gateway };
  });

const dhcp4Options: fc.Arbitrary<Dhcp4Options> = fc.record(
  {
    subnetMask: anyIpv4,
    routers: ipv4List,
    dnsServers: ipv4List,
    hostName: anyText,
    domainName: anyText,
    interfaceMtu: u16,
    broadcastAddress: anyIpv4,
    staticRoutes: fc.array(fc.record({ destination: anyIpv4, gateway: anyIpv4 }), {
      minLength: 1,
      maxLength: 40,
    }),
    ntpServers: ipv4List,
    requestedAddress: anyIpv4,
    leaseSeconds: u32,
    serverId: anyIpv4,
    parameterRequest: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 300 }),
    message: anyText,
    maxMessageSize: u16,
    renewalSeconds: u32,
    rebindingSeconds: u32,
    vendorClass: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    clientId: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    clientFqdn: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    domainSearch: fc.array(anyName, { minLength: 1, maxLength: 10 }),
    classlessRoutes: fc.array(anyRoute, { minLength: 1, maxLength: 60 }),
  },
  { requiredKeys: [] },
);

export const anyDhcp4Message: fc.Arbitrary<Dhcp4Message> = fc
  .record({
    type: fc.constantFrom('discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'),
    op: fc.constantFrom('request', 'reply'),
    xid: u32,
    secs: u16,
    broadcast: fc.boolean(),
    ciaddr: anyIpv4,
    yiaddr: anyIpv4,
    siaddr: anyIpv4,
    giaddr: anyIpv4,
    chaddr: anyMac,
    options: dhcp4Options,
  } as const)
  .map(dhcp4Message);

const anyStatus = fc.record({ code: u16, message: fc.oneof(fc.constant(''), anyText) });
const anyDuid = fc.uint8Array({ minLength: 3, maxLength: 130 });

const anyIaNa: fc.Arbitrary<IaNa> = fc.record(
  {
    iaid: u32,
    renewSeconds: u32,
    rebindSeconds: u32,
    addresses: fc.array(
      fc.record(
        { address: anyIpv6, preferredSeconds: u32, validSeconds: u32, status: anyStatus },
        { requiredKeys: ['address', 'preferredSeconds', 'validSeconds'] },
      ),
      { maxLength: 5 },
    ),
    status: anyStatus,
  },
  { requiredKeys: ['iaid', 'renewSeconds', 'rebindSeconds', 'addresses'] },
);

const dhcp6Options: fc.Arbitrary<Dhcp6Options> = fc.record(
  {
    clientId: anyDuid,
    serverId: anyDuid,
    iaNas: fc.array(anyIaNa, { maxLength: 3 }),
    optionRequest: fc.array(u16, { minLength: 1, maxLength: 20 }),
    preference: fc.integer({ min: 0, max: 255 }),
    elapsedTime: u16,
    status: anyStatus,
    rapidCommit: fc.boolean(),
    dnsServers: fc.array(anyIpv6, { minLength: 1, maxLength: 5 }),
    domainSearch: fc.array(anyName, { minLength: 1, maxLength: 5 }),
    informationRefreshSeconds: u32,
    clientFqdn: fc.record({ flags: fc.integer({ min: 0, max: 255 }), name: anyName }),
    solMaxRtSeconds: u32,
    infMaxRtSeconds: u32,
  },
  { requiredKeys: ['iaNas', 'rapidCommit'] },
);

export const anyDhcp6Message: fc.Arbitrary<Dhcp6Message> = fc.record({
  type: fc.constantFrom(
    'solicit',
    'advertise',
    'request',
    'confirm',
    'renew',
    'rebind',
    'reply',
    'release',
    'decline',
    'reconfigure',
    'information-request',
  ),
  transactionId: fc.integer({ min: 0, max: 0xff_ffff }),
  options: dhcp6Options,
} as const);
