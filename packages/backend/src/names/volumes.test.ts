import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  adoptedForm,
  canonicalForm,
  canonicalVolume,
  isRetained,
  isVolumeName,
  parseVolume,
  retainedForm,
  volumeName,
} from './volumes.ts';

const lease = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';
const other = '11111111-2222-3333-4444-555555555555';
const data = canonicalVolume({ lease, service: 'my-db', index: 3 });
const service = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);

describe('names of volumes', () => {
  it('are those that existing installations have on their disks', () => {
    expect(data).toBe(`fred-${lease}-my-db-3`);
    expect(retainedForm(data)).toBe(`fred-retained-${lease}-my-db-3`);
    expect(adoptedForm(retainedForm(data), other)).toBe(`fred-${other}-my-db-3`);
  });

  it('are read back to what they were made of, in both forms', () => {
    fc.assert(
      fc.property(fc.uuid(), service, fc.nat(99_999), (uuid, name, index) => {
        const volume = canonicalVolume({ lease: uuid, service: name, index });
        expect(parseVolume(volume)).toEqual({ lease: uuid, service: name, index, retained: false });
        expect(parseVolume(retainedForm(volume))).toMatchObject({
          lease: uuid,
          service: name,
          retained: true,
        });
        expect(canonicalForm(retainedForm(volume))).toBe(volume);
        expect(retainedForm(retainedForm(volume))).toBe(retainedForm(volume));
        expect([isRetained(volume), isRetained(retainedForm(volume))]).toEqual([false, true]);
      }),
    );
  });

  it.each([
    'fred-',
    'fred-retained-',
    `fred-${lease}`,
    `fred-${lease}-0`,
    `fred-${lease}--0`,
    `fred-${lease}-app-`,
    `fred-${lease}-app-x`,
    `fred-${lease}-app-01`,
    `fred-${lease.toUpperCase()}-app-0`,
    `fred-{${lease}}-app-0`,
    `fred-lease-1-app-0`,
    `Fred-${lease}-app-0`,
    `other-${lease}-app-0`,
    `fred-retained-retained-${lease}-app-0`,
    `fred-${lease}-App-0`,
    `fred-${lease}-app-0\n`,
  ])('say nothing when they are %j', (name) => {
    expect(parseVolume(name)).toBeUndefined();
  });

  it('are told from what else lies in the root', () => {
    expect(['lost+found', '.making-fred-a', 'fre', 'fred-a/b', 'fred-a'].filter(isVolumeName)).toEqual([
      'fred-a',
    ]);
    expect(() => volumeName('lost+found')).toThrow(TypeError);
    expect(() => adoptedForm(data, other)).toThrow(TypeError);
  });
});
