import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonLines } from './json-lines.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

it('yields every value, however the stream was cut and its lines were ended', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue()),
      fc.constantFrom('\n', '\r\n', '\n\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 50 }),
      async (values, ending, ended, size) => {
        const text = values.map((value) => JSON.stringify(value)).join(ending) + (ended ? ending : '');
        const read = await Array.fromAsync(jsonLines(pieces(Buffer.from(text), size), 'read'));
        expect(JSON.stringify(read.map(({ value }) => value))).toBe(JSON.stringify(values));
        expect(read.map(({ text }) => text.trim())).toEqual(values.map((value) => JSON.stringify(value)));
      },
    ),
  );
});

it('says what it could not read', async () => {
  const reading = Array.fromAsync(jsonLines(pieces(Buffer.from('{}\n{"a":\n'), 3), 'follow events'));
  await expect(reading).rejects.toMatchObject({
    code: 'ENGINE_ANSWER',
    message: 'cannot follow events: not JSON: {"a":',
  });
});

it('does not collect a line without end', async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(1024 * 1024, '[');
  }
  await expect(Array.fromAsync(jsonLines(endless(), 'follow events'))).rejects.toMatchObject({
    code: 'ENGINE_ANSWER',
  });
});
