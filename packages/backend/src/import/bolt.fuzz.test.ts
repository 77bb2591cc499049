import { closeSync, openSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errors } from '../errors.ts';
import { type BoltWriterOptions, boltFile } from '../testing/bolt-writer.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { BoltFile } from './bolt.ts';

type Content = readonly (readonly [string, string])[];

function read(bytes: Uint8Array, bucket = 'things'): Content | undefined {
  using folder = storeFolder();
  writeFileSync(folder.path('x.db'), bytes);
  const fd = openSync(folder.path('x.db'), 'r');
  try {
    return new BoltFile(fd).bucket(bucket)?.map(({ key, value }) => [String(key), String(value)] as const);
  } finally {
    closeSync(fd);
  }
}

const content = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.string({ maxLength: 6000 })), {
    selector: ([key]) => key,
    maxLength: 60,
  })
  .map((pairs) => pairs.filter(([key, value]) => isPlain(key) && isPlain(value)));
const isPlain = (text: string): boolean => Buffer.from(text).toString() === text;
const inOrder = (pairs: Content): Content =>
  pairs.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const pairsOf = (pairs: Content) => pairs.map(([key, value]) => ({ key, value }));

describe('a store file of an earlier program', () => {
  it('is read whole, whatever its pages are like', () => {
    const options = fc.record<BoltWriterOptions>({
      pageSize: fc.constantFrom(1024, 4096, 16384),
      perLeaf: fc.integer({ min: 2, max: 20 }),
      inline: fc.boolean(),
    });
    fc.assert(
      fc.property(content, options, (pairs, how) => {
        expect(read(boltFile('things', pairsOf(pairs), how))).toEqual(inOrder(pairs));
      }),
      { numRuns: 150 },
    );
  });

  it('is read from its older head when the newer one is damaged', () => {
    const bytes = boltFile('things', [{ key: 'a', value: '1' }]);
    bytes.writeUInt8(0xff, 20);
    expect(read(bytes), 'the older one knows of no bucket').toBeUndefined();
    bytes.writeUInt8(0xff, 4096 + 20);
    expect(() => read(bytes)).toThrow(/both its heads are damaged/);
  });

  it('that is damaged is told of: nothing else happens', () => {
    const whole = boltFile(
      'things',
      Array.from({ length: 40 }, (_, n) => ({ key: `key ${n}`, value: 'x'.repeat(n * 40) })),
    );
    const damage = fc.array(
      fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff))),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(damage, fc.option(fc.nat(whole.length)), (changes, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          read(cut === null ? bytes : bytes.subarray(0, cut));
        } catch (error) {
          expect(errors.is(error, 'import_damaged'), String(error)).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('that is something else altogether is told of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(() => read(bytes)).toThrow(/no file of an earlier program|damaged/);
      }),
      { numRuns: 200 },
    );
  });

  it('that leads around in circles is left', () => {
    const bytes = boltFile(
      'things',
      Array.from({ length: 40 }, (_, n) => ({ key: `key ${n}`, value: '' })),
    );
    const pages = Array.from({ length: bytes.length / 4096 }, (_, n) => n * 4096);
    const branch = pages.find((at) => bytes.readUInt16LE(at + 8) === 1) ?? 0;
    bytes.writeBigUInt64LE(BigInt(branch / 4096), branch + 16 + 8);
    expect(() => read(bytes)).toThrow(/reached twice/);
  });
});
