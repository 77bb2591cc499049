import { describe, expect, it } from 'vitest';
import { parseManifest } from '../manifest/index.ts';
import { partitionOf } from './partition.ts';

describe('the partition of a lease', () => {
  it('is the one that its manifest names, and none that it does not name clearly', () => {
    const source = { kind: 'label', key: 'part' } as const;
    const of = (...labels: readonly (string | undefined)[]) =>
      partitionOf(
        source,
        parseManifest(
          new TextEncoder().encode(
            JSON.stringify({
              services: Object.fromEntries(
                labels.map((value, n) => [
                  `s${n}`,
                  { image: 'x', labels: value === undefined ? {} : { part: value } },
                ]),
              ),
            }),
          ),
        ).stack,
      );
    expect(of(' Blue.1 ', undefined)).toEqual({ partition: 'Blue.1' });
    expect(of(undefined, '  ')).toEqual({ partition: '' });
    expect(of('a', 'b')).toMatchObject({ partition: '', collapsed: { reason: 'divergent' } });
    expect(of('not/valid')).toMatchObject({
      partition: '',
      collapsed: { reason: 'invalid', value: 'not/valid' },
    });
    expect(of('ü'.repeat(60)).collapsed?.value).toBe(`${'ü'.repeat(32)}…`);
    expect(partitionOf(source, undefined)).toMatchObject({ collapsed: { reason: 'no_input' } });
  });
});
