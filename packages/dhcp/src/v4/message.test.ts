import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyDhcp4Message } from '../testing/arbitraries.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import { fromHex, parseIpv4, parseMac, toHex } from '../wire/index.ts';
import { type Dhcp4Message, decodeDhcp4, dhcp4Message, encodeDhcp4 } from './message.ts';
import { optionCode } from './options.ts';

const ip = (text: string) => parseIpv4(text)!;
const mac = parseMac('02:42:0a:63:00:32')!;

function read(bytes: Uint8Array): Dhcp4Message {
  const result = decodeDhcp4(bytes);
  if (!result.ok) throw new Error(`refused: ${result.fault}`);
  return result.value;
}

/** A reply whose option area is given byte by byte, and whose `file` and `sname` may hold some, too. */
function reply(options: string, extra: { file?: string; sname?: string } = {}): Uint8Array {
  const bytes = new Uint8Array(240 + options.replaceAll(' ', '').length / 2);
  bytes.set(fromHex('02010600deadbeef')!);
  bytes.set(fromHex('02420a630032')!, 28);
  bytes.set(fromHex((extra.sname ?? '').replaceAll(' ', ''))!, 44);
  bytes.set(fromHex((extra.file ?? '').replaceAll(' ', ''))!, 108);
  bytes.set(fromHex('63825363')!, 236);
  bytes.set(fromHex(options.replaceAll(' ', ''))!, 240);
  return bytes;
}

describe('DHCPv4 messages', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(anyDhcp4Message, (message) => {
        expect(read(encodeDhcp4(message))).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });

  it('are laid out as RFC 2131 says', () => {
    const discover = encodeDhcp4(
      dhcp4Message({
        type: 'discover',
        op: 'request',
        xid: 0x12345678,
        chaddr: mac,
        options: {
          hostName: 'shop',
          clientId: Uint8Array.of(0, ...Buffer.from('shop')),
          maxMessageSize: 1500,
          parameterRequest: [1, 3, 15, 6],
        },
      }),
    );
    expect(discover).toHaveLength(300);
    expect(toHex(discover.subarray(0, 44))).toBe(
      `01010600123456780000000000000000000000000000000000000000${'02420a630032'}00000000000000000000`,
    );
    expect(toHex(discover.subarray(44, 236))).toBe('00'.repeat(192));
    expect(toHex(discover.subarray(236, 236 + 37))).toBe(
      '63825363' +
        '350101' +
        '0c0473686f70' +
        '370401030f06' +
        '390205dc' +
        '3d050073686f70' +
        'ff' +
        '00'.repeat(6),
    );
  });

  it('join the parts of a long option (RFC 3396), wherever they are', () => {
    const bytes = reply('350105 340103 7903180a00 ff', { file: '790200 0a ff', sname: '7903630001 ff' });
    expect(read(bytes).options.classlessRoutes).toEqual([
      { destination: '10.0.0.0', prefixLength: 24, gateway: '10.99.0.1' },
    ]);
  });

  it('look into file and sname only when option 52 says so', () => {
    const lease = { file: '330400000e10 ff', sname: '36040a630001 ff' };
    expect(read(reply('350105 ff', lease)).options).toEqual({});
    expect(read(reply('350105 340101 ff', lease)).options).toEqual({ leaseSeconds: 3600 });
    expect(read(reply('350105 340102 ff', lease)).options).toEqual({ serverId: '10.99.0.1' });
    expect(read(reply('350105 340103 ff', lease)).options).toEqual({
      leaseSeconds: 3600,
      serverId: '10.99.0.1',
    });
  });

  it('pass over one option that makes no sense and keep the others', () => {
    const bytes = reply('350105 3303000001 0303010203 1c020102 780200ff 7902ff00 36040a630001 ff');
    expect(read(bytes).options).toEqual({ serverId: '10.99.0.1' });
  });

  it('do without an end mark', () => {
    expect(read(reply('350105 36040a630001')).options).toEqual({ serverId: '10.99.0.1' });
  });

  it('write no empty option', () => {
    const bytes = encodeDhcp4(
      dhcp4Message({
        type: 'discover',
        op: 'request',
        xid: 1,
        chaddr: mac,
        options: { hostName: '', routers: [] },
      }),
    );
    expect(read(bytes).options).toEqual({});
  });

  it.each([
    ['an option that reaches past the end', reply('350105 3604 0a63'), 'malformed'],
    ['a message without a type', reply('36040a630001 ff'), 'unknown-type'],
    ['a type that does not exist', reply('350109 ff'), 'unknown-type'],
    ['type zero', reply('350100 ff'), 'unknown-type'],
    ['no options at all', reply(''), 'unknown-type'],
    ['a cut header', reply('350105 ff').subarray(0, 239), 'truncated'],
    ['nothing', new Uint8Array(0), 'truncated'],
    ['plain BOOTP', reply('350105 ff').fill(0, 236, 240), 'other-protocol'],
    ['another hardware type', reply('350105 ff').fill(6, 1, 2), 'other-protocol'],
    ['an operation that does not exist', reply('350105 ff').fill(3, 0, 1), 'malformed'],
    [
      'overload into broken options',
      reply('350105 340101 ff', { file: `33${'ff'.repeat(127)}` }),
      'malformed',
    ],
  ] as const)('are refused: %s', (_, bytes, fault) => {
    expect(decodeDhcp4(bytes)).toEqual({ ok: false, fault });
  });

  it('carry a compressed search list, and refuse one that points forward or at itself', () => {
    const search = (content: string): readonly string[] | undefined =>
      read(
        reply(
          `350105 77${(content.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0')}${content} ff`,
        ),
      ).options.domainSearch;
    expect(search('03656e67 056170706c65 00 0361 62 63 c004')).toEqual(['eng.apple', 'abc.apple']);
    expect(search('c000')).toBeUndefined();
    expect(search('0161 c000')).toBeUndefined();
    expect(search('0161 c004 00')).toBeUndefined();
    expect(search('40 61')).toBeUndefined();
    expect(search('0161')).toBeUndefined();
  });

  it('never throw and never hang on damaged or random bytes', () => {
    const random = new Random(4);
    const whole = fc.sample(anyDhcp4Message, { numRuns: 60, seed: 4 }).map(encodeDhcp4);
    let understood = 0;
    for (let round = 0; round < 100_000; round += 1) {
      const bytes =
        round % 4 === 0
          ? random.bytes(random.below(600))
          : mutated(whole[random.below(whole.length)]!, random);
      if (decodeDhcp4(bytes).ok) understood += 1;
    }
    expect(understood).toBeGreaterThan(10_000);
  }, 60_000);

  it('number the options as IANA does', () => {
    expect([optionCode('subnetMask'), optionCode('classlessRoutes'), optionCode('clientId')]).toEqual([
      1, 121, 61,
    ]);
    expect(ip('10.0.0.1')).toBe('10.0.0.1');
  });
});
