import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demultiplex, type OutputChunk, OutputCollector, wholeCharacters } from './output.ts';

interface Frame {
  readonly kind: number;
  readonly data: Buffer;
}

function encode({ kind, data }: Frame): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

/** The same bytes in other pieces. */
async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const size of sizes) {
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
  yield bytes.subarray(offset);
}

const join = (chunks: readonly OutputChunk[], stream: OutputChunk['stream']): string =>
  Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.data)).toString('hex');

describe('output in frames', () => {
  const frame = fc.record({
    kind: fc.constantFrom(0, 1, 2, 3),
    data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  });

  it('comes apart into its streams, however the network cut it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame), fc.array(fc.nat(20)), async (frames, sizes) => {
        const chunks = await Array.fromAsync(
          demultiplex(inPieces(Buffer.concat(frames.map(encode)), sizes), 'read'),
        );
        const sent = frames.map(
          ({ kind, data }): OutputChunk => ({ stream: kind < 2 ? 'stdout' : 'stderr', data }),
        );
        for (const stream of ['stdout', 'stderr'] as const)
          expect(join(chunks, stream)).toBe(join(sent, stream));
      }),
    );
  });

  it('that breaks off anywhere but between two frames is noticed', async () => {
    const bytes = Buffer.concat([
      encode({ kind: 1, data: Buffer.from('one') }),
      encode({ kind: 2, data: Buffer.from('two') }),
    ]);
    for (let end = 0; end <= bytes.length; end++) {
      const reading = Array.fromAsync(demultiplex(inPieces(bytes.subarray(0, end), []), 'read'));
      if (end === 0 || end === 11 || end === 22) await reading;
      else await expect(reading).rejects.toMatchObject({ code: 'ENGINE_TRUNCATED' });
    }
  });

  it('is refused where it is none', async () => {
    const text = Buffer.from('hello, this is plain text');
    await expect(Array.fromAsync(demultiplex(inPieces(text, []), 'read'))).rejects.toMatchObject({
      code: 'ENGINE_ANSWER',
    });
  });
});

describe('collected output', () => {
  it('is cut at the limit, between two characters', () => {
    const text = 'aß€😀';
    for (let limit = 0; limit <= 12; limit++) {
      const collected = new OutputCollector(limit);
      for (const byte of Buffer.from(text)) collected.take({ stream: 'stdout', data: Buffer.from([byte]) });
      const fitting = [...text].reduce((cut, character) => {
        return Buffer.byteLength(cut + character) <= limit && text.startsWith(cut + character)
          ? cut + character
          : cut;
      }, '');
      expect([limit, collected.text(), collected.truncated]).toEqual([limit, fitting, limit < 10]);
    }
  });

  it('loses nothing of what is not text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = Buffer.from(text);
        expect(wholeCharacters(bytes)).toBe(bytes.length);
      }),
    );
  });
});
