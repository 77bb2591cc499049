import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyIpv4, anyIpv6, anyMac } from '../testing/arbitraries.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import {
  type Decoded,
  fromHex,
  type Ipv6,
  internetChecksum,
  parseIpv4,
  parseIpv6,
  parseMac,
  toHex,
} from '../wire/index.ts';
import {
  type ArpPacket,
  arpAnnouncement,
  arpProbe,
  claimsAddress,
  decodeArpFrame,
  encodeArpFrame,
  probesAddress,
} from './arp.ts';
import {
  decodeIcmp6Frame,
  decodeNeighbourMessage,
  encodeIcmp6Frame,
  type Icmp6Frame,
  multicastMac,
  neighbourSolicitation,
  routerSolicitation,
  solicitedNodeGroup,
  unsolicitedAdvertisement,
} from './icmp6.ts';
import {
  decodeRouterAdvertisement,
  encodeRouterAdvertisement,
  type RouterAdvertisement,
} from './router-advertisement.ts';
import { decodeUdpFrame, encodeUdpFrame, type UdpFrame } from './udp4.ts';

const ours = parseMac('02:42:0a:63:00:32')!;
const theirs = parseMac('02:00:00:00:00:01')!;
const address = parseIpv4('10.99.0.50')!;
const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(/\s/g, ''))!;

function read<T>(result: Decoded<T>): T {
  if (!result.ok) throw new Error(`refused: ${result.fault}`);
  return result.value;
}

const fuzz = (whole: readonly Uint8Array[], decode: (frame: Uint8Array) => Decoded<unknown>): number => {
  const random = new Random(7);
  let understood = 0;
  for (let round = 0; round < 100_000; round += 1) {
    const frame =
      round % 4 === 0 ? random.bytes(random.below(200)) : mutated(whole[random.below(whole.length)]!, random);
    if (decode(frame).ok) understood += 1;
  }
  return understood;
};

const anyUdpFrame: fc.Arbitrary<UdpFrame> = fc.record({
  sourceMac: anyMac,
  destinationMac: anyMac,
  source: anyIpv4,
  destination: anyIpv4,
  sourcePort: fc.integer({ min: 0, max: 65_535 }),
  destinationPort: fc.integer({ min: 0, max: 65_535 }),
  payload: fc.uint8Array({ maxLength: 1400 }),
});

describe('UDP frames', () => {
  const frame: UdpFrame = {
    sourceMac: theirs,
    destinationMac: ours,
    source: parseIpv4('10.99.0.1')!,
    destination: address,
    sourcePort: 67,
    destinationPort: 68,
    payload: Buffer.from('lease'),
  };
  const encoded = (): Uint8Array => encodeUdpFrame(frame);
  /** Puts the header checksum right again after a change in the IP header. */
  const resealed = (packet: Uint8Array): Uint8Array => {
    packet.fill(0, 24, 26);
    const sum = internetChecksum(packet.subarray(14, 14 + ((packet[14] ?? 0) & 15) * 4));
    packet.set([sum >>> 8, sum & 255], 24);
    return packet;
  };

  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyUdpFrame, (any) => {
        expect(read(decodeUdpFrame(encodeUdpFrame(any), 'verify'))).toEqual(any);
      }),
    );
  });

  it('carry the checksums of the published example', () => {
    const packet = bytes('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7');
    expect(internetChecksum(packet)).toBe(0xb861);
  });

  it('end where the datagram ends, whatever padding follows', () => {
    const padded = new Uint8Array(80);
    padded.set(encoded());
    expect(read(decodeUdpFrame(padded, 'verify')).payload).toHaveLength(5);
  });

  it('may lack the UDP checksum where the kernel says that nobody computed it', () => {
    const packet = encoded();
    packet.set([0x12, 0x34], 14 + 20 + 6);
    expect(decodeUdpFrame(packet, 'verify')).toEqual({ ok: false, fault: 'bad-checksum' });
    expect(decodeUdpFrame(packet, 'not-computed').ok).toBe(true);
    packet.set([0, 0], 14 + 20 + 6);
    expect(decodeUdpFrame(packet, 'verify').ok).toBe(true);
  });

  it('may have IP options', () => {
    const plain = encoded();
    const packet = new Uint8Array(plain.length + 4);
    packet.set(plain.subarray(0, 34));
    packet.set([1, 1, 1, 0], 34);
    packet.set(plain.subarray(34), 38);
    packet[14] = 0x46;
    packet[17] = (packet[17] ?? 0) + 4;
    expect(read(decodeUdpFrame(resealed(packet), 'verify'))).toEqual({
      ...frame,
      payload: new Uint8Array(frame.payload),
    });
  });

  it.each([
    ['a cut frame', (packet: Uint8Array) => packet.subarray(0, packet.length - 1), 'truncated'],
    ['a cut Ethernet header', (packet: Uint8Array) => packet.subarray(0, 13), 'truncated'],
    ['a cut IP header', (packet: Uint8Array) => packet.subarray(0, 30), 'truncated'],
    ['a header length below the minimum', (packet: Uint8Array) => packet.fill(0x44, 14, 15), 'truncated'],
    ['a fragment', (packet: Uint8Array) => resealed(packet.fill(0x20, 20, 21)), 'fragment'],
    ['a last fragment', (packet: Uint8Array) => resealed(packet.fill(1, 21, 22)), 'fragment'],
    ['TCP', (packet: Uint8Array) => resealed(packet.fill(6, 23, 24)), 'other-protocol'],
    ['ARP', (packet: Uint8Array) => packet.fill(6, 13, 14), 'other-protocol'],
    ['IP version 6 inside', (packet: Uint8Array) => packet.fill(0x65, 14, 15), 'other-protocol'],
    ['a damaged IP header', (packet: Uint8Array) => packet.fill(9, 22, 23), 'bad-checksum'],
    ['a damaged payload', (packet: Uint8Array) => packet.fill(9, 45, 46), 'bad-checksum'],
    ['a UDP length beyond the packet', (packet: Uint8Array) => packet.fill(99, 39, 40), 'truncated'],
    ['a UDP length below its header', (packet: Uint8Array) => packet.fill(7, 39, 40), 'truncated'],
  ] as const)('are refused: %s', (_, damage, fault) => {
    expect(decodeUdpFrame(damage(encoded()), 'verify')).toEqual({ ok: false, fault });
  });

  it('never throw on damaged or random bytes', () => {
    expect(fuzz([encoded()], (packet) => decodeUdpFrame(packet, 'not-computed'))).toBeGreaterThan(100);
  }, 60_000);
});

describe('ARP', () => {
  const claim = (fields: Partial<ArpPacket>): ArpPacket => ({
    ...arpAnnouncement(theirs, address),
    ...fields,
  });

  it('is laid out as RFC 826 says, and reads back', () => {
    expect(toHex(encodeArpFrame(arpProbe(ours, address)))).toBe(
      toHex(
        bytes(`ffffffffffff 02420a630032 0806  0001 0800 06 04 0001
        02420a630032 00000000 000000000000 0a630032`),
      ),
    );
    for (const packet of [
      arpProbe(ours, address),
      arpAnnouncement(ours, address),
      claim({ operation: 'reply' }),
    ]) {
      expect(read(decodeArpFrame(encodeArpFrame(packet)))).toEqual(packet);
    }
  });

  it('shows another owner of an address, and not ourselves', () => {
    expect(claimsAddress(claim({ operation: 'reply' }), address, ours)).toBe(true);
    expect(claimsAddress(claim({}), address, ours)).toBe(true);
    expect(claimsAddress(arpAnnouncement(ours, address), address, ours)).toBe(false);
    expect(claimsAddress(claim({ senderIp: parseIpv4('10.99.0.51')! }), address, ours)).toBe(false);
    expect(claimsAddress(arpProbe(theirs, address), address, ours)).toBe(false);
  });

  it('shows somebody else who wants the same address at this moment', () => {
    expect(probesAddress(arpProbe(theirs, address), address, ours)).toBe(true);
    expect(probesAddress(arpProbe(ours, address), address, ours)).toBe(false);
    expect(probesAddress(claim({}), address, ours)).toBe(false);
  });

  it.each([
    ['a cut packet', encodeArpFrame(arpProbe(ours, address)).subarray(0, 41), 'truncated'],
    ['another protocol', encodeUdpFrameOnly(), 'other-protocol'],
    ['another hardware type', encodeArpFrame(arpProbe(ours, address)).fill(9, 15, 16), 'other-protocol'],
    ['other lengths', encodeArpFrame(arpProbe(ours, address)).fill(9, 18, 19), 'other-protocol'],
    [
      'an operation that we do not know',
      encodeArpFrame(arpProbe(ours, address)).fill(9, 21, 22),
      'unknown-type',
    ],
  ] as const)('is refused: %s', (_, frame, fault) => {
    expect(decodeArpFrame(frame)).toEqual({ ok: false, fault });
  });

  it('never throws on damaged or random bytes', () => {
    expect(fuzz([encodeArpFrame(arpProbe(ours, address))], decodeArpFrame)).toBeGreaterThan(100);
  }, 60_000);

  function encodeUdpFrameOnly(): Uint8Array {
    return bytes(`ffffffffffff 02420a630032 0800 ${'00'.repeat(28)}`);
  }
});

describe('neighbour discovery', () => {
  const v6 = parseIpv6('fd99::32')!;
  const linkLocal = parseIpv6('fe80::42:aff:fe63:32')!;

  it('multicasts to the groups and MACs of the RFCs', () => {
    expect(solicitedNodeGroup(v6)).toBe('ff02::1:ff00:32');
    expect(multicastMac(solicitedNodeGroup(v6))).toBe('33:33:ff:00:00:32');
  });

  it('reads its own messages back', () => {
    const solicitation = neighbourSolicitation(ours, linkLocal, v6);
    expect(read(decodeIcmp6Frame(encodeIcmp6Frame(solicitation)))).toEqual(solicitation);
    expect(read(decodeNeighbourMessage(solicitation))).toEqual({
      kind: 'solicitation',
      target: v6,
      override: false,
      solicited: false,
    });
    expect(read(decodeNeighbourMessage(unsolicitedAdvertisement(ours, v6)))).toEqual({
      kind: 'advertisement',
      target: v6,
      override: true,
      solicited: false,
    });
    expect(decodeNeighbourMessage(routerSolicitation(ours, linkLocal))).toEqual({
      ok: false,
      fault: 'unknown-type',
    });
    expect(decodeNeighbourMessage({ ...solicitation, body: solicitation.body.subarray(0, 19) })).toEqual({
      ok: false,
      fault: 'truncated',
    });
  });

  it('does not say its MAC while it has no address', () => {
    expect(neighbourSolicitation(ours, '::' as Ipv6, v6).body).toHaveLength(20);
  });

  it.each([
    ['a message that passed a router', (frame: Uint8Array) => frame.fill(254, 21, 22), 'malformed'],
    ['a damaged message', (frame: Uint8Array) => frame.fill(1, 60, 61), 'bad-checksum'],
    ['a cut message', (frame: Uint8Array) => frame.subarray(0, frame.length - 1), 'truncated'],
    ['an extension header', (frame: Uint8Array) => frame.fill(0, 20, 21), 'other-protocol'],
    ['IPv4', (frame: Uint8Array) => frame.fill(8, 12, 13).fill(0, 13, 14), 'other-protocol'],
    ['a cut header', (frame: Uint8Array) => frame.subarray(0, 13), 'truncated'],
  ] as const)('refuses %s', (_, damage, fault) => {
    expect(decodeIcmp6Frame(damage(encodeIcmp6Frame(neighbourSolicitation(ours, linkLocal, v6))))).toEqual({
      ok: false,
      fault,
    });
  });

  it('never throws on damaged or random bytes', () => {
    const frame = encodeIcmp6Frame(neighbourSolicitation(ours, linkLocal, v6));
    expect(fuzz([frame], decodeIcmp6Frame)).toBeGreaterThan(10);
  }, 60_000);
});

describe('router advertisements', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const prefixLength = fc.integer({ min: 0, max: 128 });
  const preference = fc.constantFrom('low', 'medium', 'high');
  const anyAdvertisement: fc.Arbitrary<RouterAdvertisement> = fc.record(
    {
      hopLimit: fc.integer({ min: 0, max: 255 }),
      managed: fc.boolean(),
      other: fc.boolean(),
      preference,
      lifetimeSeconds: fc.integer({ min: 0, max: 65_535 }),
      reachableMs: u32,
      retransmitMs: u32,
      sourceMac: anyMac,
      mtu: u32,
      prefixes: fc.array(
        fc.record({
          prefix: anyIpv6,
          prefixLength,
          onLink: fc.boolean(),
          autonomous: fc.boolean(),
          validSeconds: u32,
          preferredSeconds: u32,
        }),
        { maxLength: 4 },
      ),
      routes: fc.array(fc.record({ prefix: anyIpv6, prefixLength, preference, lifetimeSeconds: u32 }), {
        maxLength: 4,
      }),
      dnsServers: fc.array(fc.record({ address: anyIpv6, lifetimeSeconds: u32 }), { maxLength: 4 }),
    },
    {
      requiredKeys: [
        'hopLimit',
        'managed',
        'other',
        'preference',
        'lifetimeSeconds',
        'reachableMs',
        'retransmitMs',
        'prefixes',
        'routes',
        'dnsServers',
      ],
    },
  );
  const framed = (body: Uint8Array, fields: Partial<Icmp6Frame> = {}): Icmp6Frame => ({
    sourceMac: theirs,
    destinationMac: multicastMac('ff02::1' as Ipv6),
    source: parseIpv6('fe80::1')!,
    destination: parseIpv6('ff02::1')!,
    type: 134,
    code: 0,
    body,
    ...fields,
  });
  const plain = bytes('40 00 0708 00000000 00000000');

  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyAdvertisement, (message) => {
        expect(read(decodeRouterAdvertisement(framed(encodeRouterAdvertisement(message))))).toEqual(message);
      }),
    );
  });

  it('say in their flags where addresses come from', () => {
    const flags = (byte: string): readonly boolean[] => {
      const message = read(decodeRouterAdvertisement(framed(bytes(`40 ${byte} 0708 00000000 00000000`))));
      return [message.managed, message.other];
    };
    expect(['00', '80', '40', 'c0'].map(flags)).toEqual([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  it('pass over options that we do not know', () => {
    expect(
      read(decodeRouterAdvertisement(framed(bytes(`${toHex(plain)} fe01 000000000000`)))).prefixes,
    ).toEqual([]);
  });

  it('read a route whose prefix is cut to what it needs', () => {
    const message = read(
      decodeRouterAdvertisement(framed(bytes(`${toHex(plain)} 1802 4008 00000258 fd00000000000001`))),
    );
    expect(message.routes).toEqual([
      { prefix: 'fd00:0:0:1::', prefixLength: 64, preference: 'high', lifetimeSeconds: 600 },
    ]);
  });

  it.each([
    ['a sender that is no neighbour', framed(plain, { source: parseIpv6('fd99::1')! }), 'malformed'],
    ['a code that does not exist', framed(plain, { code: 1 }), 'malformed'],
    ['another message', framed(plain, { type: 135 }), 'unknown-type'],
    ['a cut head', framed(plain.subarray(0, 11)), 'truncated'],
    ['an option of length zero', framed(bytes(`${toHex(plain)} 0100 000000000000`)), 'malformed'],
    ['an option beyond the end', framed(bytes(`${toHex(plain)} 0102 000000000000`)), 'malformed'],
    ['half an option', framed(bytes(`${toHex(plain)} 01`)), 'malformed'],
  ] as const)('are refused: %s', (_, frame, fault) => {
    expect(decodeRouterAdvertisement(frame)).toEqual({ ok: false, fault });
  });

  it('never throw on damaged or random bytes', () => {
    const whole = fc.sample(anyAdvertisement, { numRuns: 20, seed: 1 }).map(encodeRouterAdvertisement);
    expect(fuzz(whole, (body) => decodeRouterAdvertisement(framed(body)))).toBeGreaterThan(1000);
  }, 60_000);
});
