import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DataType, dataTypes, type Scalar, typeNumber, typesOf } from './data-types.ts';

const all = Object.keys(dataTypes) as DataType[];
const badValue = expect.objectContaining({ code: 'KERNEL_BAD_VALUE' });

const through = (type: DataType, value: Scalar): Scalar => {
  const row = dataTypes[type];
  const bytes = Buffer.alloc(row.bytes + 2, 0xaa);
  row.write(value, bytes, 1);
  expect([bytes[0], bytes.at(-1)]).toEqual([0xaa, 0xaa]);
  return row.read(bytes, 1);
};

describe('data types', () => {
  it.each<[DataType, Scalar]>([
    ['ipv4_addr', '172.20.0.5'],
    ['ipv6_addr', 'fd00::5'],
    ['inet_service', 65_535],
    ['inet_proto', 'tcp'],
    ['inet_proto', 253],
    ['ifname', 'br-0123456789ab'],
    ['mark', 0xffff_ffff],
    ['nf_proto', 'ipv6'],
    ['ct_state', 'established'],
    ['ct_status', 'dnat'],
    ['ct_dir', 'reply'],
    ['fib_addrtype', 'local'],
    ['pkt_type', 'multicast'],
    ['icmp_type', 'echo-request'],
    ['icmpv6_type', 'nd-neighbor-solicit'],
  ])('%s: %s survives the way to bytes and back', (type, value) => {
    expect(through(type, value)).toBe(value);
  });

  it('give a number that has a name its name', () => {
    expect(through('inet_proto', 6)).toBe('tcp');
    expect(through('ipv6_addr', 'FD00:0:0::0005')).toBe('fd00::5');
  });

  it.each<[DataType, Scalar]>([
    ['ipv4_addr', 'fd00::5'],
    ['ipv4_addr', '172.20.0.256'],
    ['ipv4_addr', 5],
    ['ipv6_addr', '172.20.0.5'],
    ['ipv6_addr', 'fe80::1%eth0'],
    ['inet_service', 65_536],
    ['inet_service', -1],
    ['inet_service', 80.5],
    ['inet_service', Number.NaN],
    ['inet_service', '80'],
    ['inet_proto', 'http'],
    ['inet_proto', 256],
    ['ifname', ''],
    ['ifname', 'sixteen-letters!'],
    ['ifname', 'a b'],
    ['ifname', 'a/b'],
    ['ifname', 'a"b'],
    ['mark', 2 ** 32],
    ['ct_state', 'estabished'],
  ])('%s refuse %j', (type, value) => {
    expect(() => through(type, value)).toThrow(badValue);
  });

  it('have a number for each list of them, and the list for each number', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 5 }), (types) => {
        expect(typesOf(typeNumber(types))).toEqual(types);
      }),
    );
  });

  it('say so when a number stands for types that we do not know', () => {
    expect(typesOf(9)).toBeUndefined();
    expect(typesOf((9 << 6) | 13)).toBeUndefined();
    expect(typesOf(0)).toBeUndefined();
    fc.assert(fc.property(fc.nat(0xffff_ffff), (number) => void typesOf(number)));
  });
});
