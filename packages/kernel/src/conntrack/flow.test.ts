import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelErrors } from '../errors.ts';
import { MessageWriter, messages, type NetlinkMessage } from '../netlink/index.ts';
import { readFlow } from './flow.ts';

function message(body: (writer: MessageWriter) => void): NetlinkMessage {
  const writer = new MessageWriter();
  writer.message(0x100, 0, 1, body);
  return Array.from(messages(Buffer.from(writer.bytes)))[0]!;
}

const bytes = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('readFlow', () => {
  it('reads what the kernel sends of a redirected TCP connection', () => {
    const flow = readFlow(
      message((writer) =>
        writer.raw(
          bytes(`02000000
            3400 0180 1400 0180 0800 0100 c000020a 0800 0200 c0000201
                      1c00 0280 0500 0100 06000000 0600 0200 9c400000 0600 0300 00190000
            3400 0280 1400 0180 0800 0100 ac1e0102 0800 0200 c000020a
                      1c00 0280 0500 0100 06000000 0600 0200 09c50000 0600 0300 9c400000
            0800 0300 000001ae
            1000 0480 0c00 0180 0500 0100 03000000
            0800 0700 00069780
            1c00 0980 0c00 0100 0000000000000007 0c00 0200 0000000000000400
            1c00 0a80 0c00 0100 0000000000000005 0c00 0200 0000000000000300
            0800 0800 00000009
            0800 0c00 deadbeef
            0600 1200 00050000`),
        ),
      ),
    );
    expect(flow).toEqual({
      id: 0xdeadbeef,
      family: 4,
      protocol: 'tcp',
      original: { source: '192.0.2.10', destination: '192.0.2.1', sourcePort: 40_000, destinationPort: 25 },
      reply: { source: '172.30.1.2', destination: '192.0.2.10', sourcePort: 2501, destinationPort: 40_000 },
      zone: 5,
      mark: 9,
      timeoutSeconds: 432_000,
      seenReply: true,
      assured: true,
      sourceNat: false,
      destinationNat: true,
      tcpState: 'established',
      counters: { original: { packets: 7n, bytes: 1024n }, reply: { packets: 5n, bytes: 768n } },
    });
  });

  it('takes no notice of other families', () => {
    expect(readFlow(message((writer) => writer.raw(bytes('07000000'))))).toBeUndefined();
  });

  it('ends in a flow or in one clear error, whatever the bytes are', () => {
    const attribute = fc.tuple(fc.nat(30), fc.uint8Array({ maxLength: 24 })).map(
      ([type, value]) =>
        (writer: MessageWriter) =>
          writer.binary(type, value),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(2, 10),
        fc.array(attribute, { maxLength: 8 }),
        fc.nat(60),
        (family, list, cut) => {
          const { payload, ...rest } = message((writer) => {
            writer.raw(Uint8Array.of(family, 0, 0, 0));
            for (const write of list) write(writer);
          });
          try {
            readFlow({ ...rest, payload: payload.subarray(0, Math.max(0, payload.length - cut)) });
          } catch (error) {
            expect(kernelErrors.is(error, 'KERNEL_MALFORMED'), String(error)).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
