import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyDhcp6Message } from '../testing/arbitraries.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import { fromHex, parseMac, toHex } from '../wire/index.ts';
import { decodeDuid, encodeDuid } from './duid.ts';
import { type Dhcp6Message, decodeDhcp6, encodeDhcp6 } from './message.ts';

const bytes = (hex: string): Uint8Array => fromHex(hex.replaceAll(/\s/g, ''))!;

function read(packet: Uint8Array): Dhcp6Message {
  const result = decodeDhcp6(packet);
  if (!result.ok) throw new Error(`refused: ${result.fault}`);
  return result.value;
}

describe('DHCPv6 messages', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyDhcp6Message, (message) => {
        expect(read(encodeDhcp6(message))).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });

  it('are laid out as RFC 8415 says', () => {
    const solicit = encodeDhcp6({
      type: 'solicit',
      transactionId: 0xabcdef,
      options: {
        clientId: bytes('0004 000102030405060708090a0b0c0d0e0f'),
        iaNas: [{ iaid: 0x01020304, renewSeconds: 0, rebindSeconds: 0, addresses: [] }],
        optionRequest: [23, 24],
        elapsedTime: 0,
        rapidCommit: false,
        clientFqdn: { flags: 0, name: 'shop.lan' },
      },
    });
    expect(toHex(solicit)).toBe(
      toHex(
        bytes(`01 abcdef
          0001 0012 0004000102030405060708090a0b0c0d0e0f
          0003 000c 01020304 00000000 00000000
          0006 0004 0017 0018
          0008 0002 0000
          0027 000b 00 0473686f70 036c616e 00`),
      ),
    );
  });

  it('pass over an option that they do not know and one whose content is broken', () => {
    const message = read(bytes('07 000001  00ff 0001 00  0007 0002 0101  0001 0002 0001  0002 0003 000401'));
    expect(message.options).toEqual({ iaNas: [], rapidCommit: false, serverId: bytes('000401') });
  });

  it('let the first of two count where one is allowed', () => {
    expect(read(bytes('07 000001  0007 0001 05  0007 0001 09')).options.preference).toBe(5);
  });

  it('cap the elapsed time at its largest number', () => {
    const options = { iaNas: [], rapidCommit: false, elapsedTime: 100_000 };
    expect(read(encodeDhcp6({ type: 'solicit', transactionId: 1, options })).options.elapsedTime).toBe(
      0xffff,
    );
  });

  it.each([
    ['nothing', '', 'truncated'],
    ['half a transaction id', '07 0000', 'truncated'],
    ['type zero', '00 000001', 'unknown-type'],
    ['a relayed message', '0c 000001', 'unknown-type'],
    ['an option that reaches past the end', '07 000001 0001 0009 00', 'malformed'],
    ['half an option header', '07 000001 0001 00', 'malformed'],
    ['an association cut short', '07 000001 0003 0004 00000001', 'malformed'],
    ['an address cut short', '07 000001 0003 0014 000000010000000000000000 0005 0004 20010db8', 'malformed'],
  ] as const)('are refused: %s', (_, hex, fault) => {
    expect(decodeDhcp6(bytes(hex))).toEqual({ ok: false, fault });
  });

  it('never throw and never hang on damaged or random bytes', () => {
    const random = new Random(6);
    const whole = fc.sample(anyDhcp6Message, { numRuns: 60, seed: 6 }).map(encodeDhcp6);
    let understood = 0;
    for (let round = 0; round < 100_000; round += 1) {
      const packet =
        round % 4 === 0
          ? random.bytes(random.below(300))
          : mutated(whole[random.below(whole.length)]!, random);
      if (decodeDhcp6(packet).ok) understood += 1;
    }
    expect(understood).toBeGreaterThan(5_000);
  }, 60_000);
});

describe('client identifiers', () => {
  const mac = parseMac('02:42:0a:63:00:32')!;

  it.each([
    [{ kind: 'link-layer-and-time', time: 0x2cfe1a00, mac }, '0001 0001 2cfe1a00 02420a630032'],
    [{ kind: 'link-layer', mac }, '0003 0001 02420a630032'],
    [
      { kind: 'uuid', uuid: bytes('000102030405060708090a0b0c0d0e0f') },
      '0004 000102030405060708090a0b0c0d0e0f',
    ],
    [{ kind: 'other', type: 2, content: bytes('00000009aabb') }, '0002 00000009aabb'],
    [{ kind: 'other', type: 3, content: bytes('0006aabb') }, '0003 0006aabb'],
  ] as const)('are written and read: %o', (duid, hex) => {
    expect(toHex(encodeDuid(duid))).toBe(toHex(bytes(hex)));
    expect(decodeDuid(bytes(hex))).toEqual(duid);
  });

  it('are neither empty nor endless', () => {
    expect(decodeDuid(bytes('0004'))).toBeUndefined();
    expect(decodeDuid(new Uint8Array(131))).toBeUndefined();
    expect(decodeDuid(new Uint8Array(130))).toBeDefined();
  });
});
