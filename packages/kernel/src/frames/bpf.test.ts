import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv4, parseMac } from '../ip/index.ts';
import { all, any, type Condition, compileFilter, equals, everything, nothing } from './bpf.ts';
import { arpAbout, dhcpForClient } from './filters.ts';

/** What the kernel does with a program, written down a second time: whether the frame passes. */
function passes(program: Uint8Array, frame: Uint8Array): boolean {
  const code = Buffer.from(program);
  const bytes = Buffer.from(frame);
  let a = 0;
  let x = 0;
  for (let at = 0; at < code.length; at += 8) {
    const op = code.readUInt16LE(at);
    const k = code.readUInt32LE(at + 4);
    const width = { 32: 4, 64: 4, 40: 2, 72: 2, 48: 1, 80: 1 }[op];
    if (width !== undefined) {
      const from = k + (op >= 64 ? x : 0);
      if (from + width > bytes.length) return false;
      a = bytes.readUIntBE(from, width);
    } else if (op === 0xb1) {
      if (k >= bytes.length) return false;
      x = (bytes.readUInt8(k) & 15) * 4;
    } else if (op === 0x54) a = (a & k) >>> 0;
    else if (op === 0x15) at += 8 * (code.readUInt8(at + 2 + (a === k ? 0 : 1)) ?? 0);
    else if (op === 0x06) return k !== 0;
    else throw new Error(`unknown instruction ${op}`);
  }
  throw new Error('ran off the end');
}

/** The same condition, asked directly. Reading beyond the end fails the whole frame, as it does in the kernel. */
function holds(condition: Condition, frame: Buffer): boolean | 'beyond' {
  if (condition.kind === 'equals') {
    const { at, width, value, mask = 0xffff_ffff } = condition;
    if (typeof at !== 'number' && frame.length < 15) return 'beyond';
    const from = typeof at === 'number' ? at : 14 + (frame.readUInt8(14) & 15) * 4 + at.afterIpv4Header;
    if (from + width > frame.length) return 'beyond';
    return (frame.readUIntBE(from, width) & mask) >>> 0 === value;
  }
  for (const part of condition.of) {
    const result = holds(part, frame);
    if (result === 'beyond' || result === (condition.kind === 'any')) return result;
  }
  return condition.kind === 'all';
}

const position = fc.oneof(fc.nat(30), fc.record({ afterIpv4Header: fc.nat(6) }));
const comparison = fc
  .record({
    at: position,
    width: fc.constantFrom(1, 2, 4),
    value: fc.nat(3),
    mask: fc.constantFrom(undefined, 1, 3),
  } as const)
  .map(({ at, width, value, mask }) => equals(at, width, value, mask));
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
    comparison,
    fc.array(tie('condition'), { maxLength: 3 }).map((of) => all(...of)),
    fc.array(tie('condition'), { maxLength: 3 }).map((of) => any(...of)),
  ),
}));

describe('compileFilter', () => {
  it('lets through what meets the condition, and nothing else', () => {
    fc.assert(
      fc.property(condition, fc.array(fc.nat(3), { maxLength: 40 }), (wanted, bytes) => {
        const frame = Buffer.from(bytes);
        expect(passes(compileFilter(wanted), frame)).toBe(holds(wanted, frame) === true);
      }),
      { numRuns: 3000 },
    );
  });

  it('knows how to let everything or nothing through', () => {
    expect(passes(compileFilter(everything), Buffer.alloc(0))).toBe(true);
    expect(passes(compileFilter(nothing), Buffer.alloc(60))).toBe(false);
  });

  it('is laid out as the kernel wants it', () => {
    expect(Buffer.from(compileFilter(equals(12, 2, 0x0806))).toString('hex')).toBe(
      ['2800 00 00 0c000000', '1500 00 01 06080000', '0600 00 00 ffffffff', '0600 00 00 00000000']
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('refuses a condition that does not fit into a program', () => {
    const long = all(...Array.from({ length: 300 }, (_, at) => equals(at, 1, 0)));
    expect(() => compileFilter(long)).toThrow(expect.objectContaining({ code: 'KERNEL_BAD_VALUE' }));
  });
});

describe('filters', () => {
  const mac = parseMac('02:42:0a:63:00:32');
  const frame = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
  const dhcp = (destination: string, port = '0044', more = '0000 4011'): Buffer =>
    frame(
      `${destination} 020000000001 0800  45000120 0000 ${more} 0000 0a630001 0a630032  0043 ${port} 0008 0000`,
    );

  it('let DHCP for one client through, and not what is for others', () => {
    const program = compileFilter(dhcpForClient(mac));
    expect(passes(program, dhcp('02420a630032'))).toBe(true);
    expect(passes(program, dhcp('ffffffffffff'))).toBe(true);
    expect(passes(program, dhcp('02420a630033'))).toBe(false);
    expect(passes(program, dhcp('02420a630032', '0043'))).toBe(false);
    expect(passes(program, dhcp('02420a630032', '0044', '2000 4011'))).toBe(false);
    expect(passes(program, dhcp('02420a630032', '0044', '0001 4011'))).toBe(false);
    expect(passes(program, dhcp('02420a630032', '0044', '4000 4011'))).toBe(true);
    expect(passes(program, dhcp('02420a630032', '0044', '0000 4006'))).toBe(false);
    expect(passes(program, dhcp('02420a630032').subarray(0, 37))).toBe(false);
  });

  it('let ARP about our addresses through, and no other', () => {
    const ours = [parseIpv4('10.99.0.50'), parseIpv4('10.99.0.51')];
    const program = compileFilter(arpAbout(ours));
    const arp = (operation: string, sender: string, target: string): boolean =>
      passes(
        program,
        frame(`ffffffffffff 020000000001 0806 0001 0800 06 04 ${operation}
          020000000001 ${sender} 000000000000 ${target}`),
      );
    const [fifty, fiftyOne, other, none] = ['0a630032', '0a630033', '0a630034', '00000000'] as const;
    expect(arp('0001', fifty, fifty)).toBe(true);
    expect(arp('0002', fiftyOne, other)).toBe(true);
    expect(arp('0001', none, fiftyOne)).toBe(true);
    expect(arp('0001', other, fifty)).toBe(false);
    expect(arp('0001', none, other)).toBe(false);
    expect(arp('0003', fifty, fifty)).toBe(false);
    expect(passes(compileFilter(arpAbout([])), Buffer.alloc(60))).toBe(false);
  });
});
