import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelErrors } from '../errors.ts';
import { readAcknowledgement } from './acknowledgement.ts';
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR } from './constants.ts';
import { Attributes, familyHeader, messages, type NetlinkMessage } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

function written(body: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter(4);
  body(writer);
  return Buffer.from(writer.bytes);
}

describe('MessageWriter', () => {
  it('lays out a request as the kernel expects it', () => {
    const message = written((writer) =>
      writer.message(18, 0x0305, 7, (body) => {
        body.raw(bytes('11000000 02000000 00000000 00000000'));
        body.string(3, 'lo');
        body.u32(4, 1500);
      }),
    );
    expect(hex(message)).toBe(
      hex(
        bytes(`30000000 1200 0503 07000000 00000000
               11000000 02000000 00000000 00000000
               0700 0300 6c6f00 00
               0800 0400 dc050000`),
      ),
    );
  });

  it('writes each form in its byte order, padded with zeroes', () => {
    const attributes = written((writer) => {
      writer.flag(1);
      writer.u8(2, 0xab);
      writer.u16(3, 0x1234);
      writer.u16be(3, 0x1234);
      writer.u32be(4, 0x12345678);
      writer.u64(5, 0x0102030405060708n);
      writer.u64be(5, 0x0102030405060708n);
      writer.i32(6, -2);
      writer.i32be(6, -2);
    });
    expect(hex(attributes)).toBe(
      hex(
        bytes(`0400 0100
               0500 0200 ab000000
               0600 0300 34120000
               0600 0300 12340000
               0800 0400 12345678
               0c00 0500 0807060504030201
               0c00 0500 0102030405060708
               0800 0600 feffffff
               0800 0600 fffffffe`),
      ),
    );
  });

  it('marks nested attributes and gives them their whole length', () => {
    const attributes = written((writer) =>
      writer.nested(1, (outer) => outer.nested(2, (inner) => inner.u8(3, 1))),
    );
    expect(hex(attributes)).toBe(hex(bytes('1000 0180 0c00 0280 0500 0300 01000000')));
  });

  it('leaves nothing of what it wrote before behind', () => {
    const writer = new MessageWriter();
    writer.binary(1, new Uint8Array(64).fill(0xff));
    writer.reset();
    writer.u8(1, 1);
    expect(hex(writer.bytes)).toBe(hex(bytes('0500 0100 01000000')));
  });

  it('refuses a value that its length field cannot hold', () => {
    const huge = new Uint8Array(0xffff);
    expect(() => new MessageWriter().binary(1, huge)).toThrow(/65539 bytes/);
    expect(() =>
      new MessageWriter().nested(1, (writer) => {
        writer.binary(2, huge.subarray(0, 40_000));
        writer.binary(2, huge.subarray(0, 40_000));
      }),
    ).toThrow(expect.objectContaining({ code: 'KERNEL_MESSAGE_TOO_LONG' }));
  });

  it('refuses a text that would end early for the kernel', () => {
    expect(() => new MessageWriter().string(1, 'eth0\0x')).toThrow(
      expect.objectContaining({ code: 'KERNEL_BAD_VALUE' }),
    );
  });
});

describe('reading', () => {
  const attribute = fc.oneof(
    fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
    fc.record({
      kind: fc.constantFrom('u16' as const, 'u16be' as const),
      value: fc.integer({ min: 0, max: 0xffff }),
    }),
    fc.record({
      kind: fc.constantFrom('u32' as const, 'u32be' as const),
      value: fc.integer({ min: 0, max: 0xffff_ffff }),
    }),
    fc.record({ kind: fc.constantFrom('i32' as const, 'i32be' as const), value: fc.integer() }),
    fc.record({
      kind: fc.constantFrom('u64' as const, 'u64be' as const),
      value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
    fc.record({
      kind: fc.constant('string' as const),
      value: fc.string({ unit: fc.constantFrom('a', 'é', '0', '-') }),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      value: fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b)),
    }),
  );

  it('gives back every value that was written', () => {
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 12 }), fc.boolean(), (list, nest) => {
        const write = (writer: MessageWriter): void => {
          for (const [index, { kind, value }] of list.entries()) {
            (writer[kind] as (type: number, value: unknown) => void).call(writer, index + 1, value);
          }
        };
        const buffer = written((writer) => (nest ? writer.nested(9, write) : write(writer)));
        const outer = new Attributes(buffer);
        const read = nest ? outer.nested(9) : outer;
        for (const [index, { kind, value }] of list.entries()) expect(read?.[kind](index + 1)).toEqual(value);
        expect(read?.has(list.length + 1)).toBe(false);
      }),
    );
  });

  it('splits a datagram into the messages that were written', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 }), (payloads) => {
        const datagram = written((writer) => {
          for (const [index, payload] of payloads.entries())
            writer.message(16 + index, index, 100 + index, (body) => body.raw(payload));
        });
        const read = Array.from(messages(datagram));
        expect(read.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual(
          payloads.map((_, index) => [16 + index, index, 100 + index]),
        );
        for (const [index, payload] of payloads.entries())
          expect(hex(read[index]!.payload.subarray(0, payload.length))).toBe(hex(payload));
      }),
    );
  });

  it('ends in values or in one clear error, whatever the bytes are', () => {
    const readAll = (garbage: Buffer): void => {
      for (const message of messages(garbage)) {
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) readAcknowledgement(message);
        const attributes = new Attributes(message.payload);
        for (const [type] of attributes.each()) {
          attributes.u64be(type);
          attributes.string(type);
          Array.from(attributes.nested(type)?.each() ?? []);
        }
      }
    };
    const plausible = fc
      .tuple(fc.constantFrom(2, 3, 20), fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, flags, payload]) =>
        written((w) => w.message(type, flags, 1, (body) => body.raw(payload))),
      );
    fc.assert(
      fc.property(fc.oneof(plausible, fc.uint8Array({ maxLength: 120 })), (garbage) => {
        try {
          readAll(Buffer.from(garbage));
        } catch (error) {
          expect(kernelErrors.is(error, 'KERNEL_MALFORMED'), String(error)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['an empty length', '00000000 1000 0000 00000000 00000000'],
    ['a length beyond the end', '20000000 1000 0000 00000000 00000000'],
    ['a cut header', '10000000 1000'],
  ])('refuses a message with %s', (_, text) => {
    expect(() => Array.from(messages(bytes(text)))).toThrow(
      expect.objectContaining({ code: 'KERNEL_MALFORMED' }),
    );
  });

  it('refuses an attribute that is too short for its form, and a missing family header', () => {
    expect(() => new Attributes(bytes('0600 0100 12340000')).u32(1)).toThrow(/attribute 1 has 2 bytes/);
    expect(() => familyHeader(Buffer.alloc(3), 4)).toThrow(/family header of 4 bytes/);
  });

  it('takes the last of several attributes of one type, and ignores flags and padding', () => {
    const attributes = new Attributes(bytes('0800 0180 01000000 0800 0140 02000000 0000'));
    expect(attributes.u32(1)).toBe(2);
    expect(Array.from(attributes.each(), ([type]) => type)).toEqual([1, 1]);
  });
});

describe('readAcknowledgement', () => {
  const answer = (type: number, flags: number, payload: string): NetlinkMessage => ({
    type,
    flags,
    sequence: 5,
    portId: 1,
    payload: bytes(payload),
  });
  const quotedHeader = '14000000 1800 0506 05000000 00000000';
  const words = '0f00 0100 4e6f20676174657761790000 0800 0200 24000000'; // "No gateway", offset 36

  it('takes zero for success', () => {
    expect(
      readAcknowledgement(answer(NLMSG_ERROR, NLM_F_CAPPED, `00000000 ${quotedHeader}`)),
    ).toBeUndefined();
    expect(readAcknowledgement(answer(NLMSG_DONE, 2, '00000000'))).toBeUndefined();
    expect(readAcknowledgement(answer(NLMSG_DONE, 2, ''))).toBeUndefined();
  });

  it('reads errno, words and place behind a quoted header', () => {
    expect(
      readAcknowledgement(
        answer(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, `eaffffff ${quotedHeader} ${words}`),
      ),
    ).toEqual({ errno: 22, sequence: 5, words: 'No gateway', offset: 36 });
  });

  it('reads them behind a request that is quoted whole', () => {
    expect(
      readAcknowledgement(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, `eaffffff ${quotedHeader} deadbeef ${words}`)),
    ).toEqual({ errno: 22, sequence: 5, words: 'No gateway', offset: 36 });
  });

  it('does without words where there are none', () => {
    expect(readAcknowledgement(answer(NLMSG_ERROR, 0, `feffffff ${quotedHeader}`))).toEqual({
      errno: 2,
      sequence: 5,
    });
  });

  it('refuses a quotation that is longer than the answer', () => {
    expect(() =>
      readAcknowledgement(
        answer(NLMSG_ERROR, NLM_F_ACK_TLVS, `eaffffff ffffffff 18000506 05000000 00000000`),
      ),
    ).toThrow(expect.objectContaining({ code: 'KERNEL_MALFORMED' }));
  });
});
