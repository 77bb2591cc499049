import { describe, expect, it } from 'vitest';
import { isWithin, volumePath } from './volume-paths.ts';

describe('volumePath', () => {
  it.each([
    ['/data', ['data']],
    ['/data/', ['data']],
    ['data', ['data']],
    ['/data//sub', ['data', 'sub']],
    ['/var/lib/postgresql/data', ['var', 'lib', 'postgresql', 'data']],
    ['/../etc/passwd', ['etc', 'passwd']],
    ['/a/./b/../c', ['a', 'c']],
    ['/..data', ['..data']],
    ['/data/_wp', ['data', '_wp']],
    ['/_wpx', ['_wpx']],
  ])('puts %j at %j', (declared, names) => {
    expect(volumePath(declared)).toEqual(names);
  });

  it.each([
    '',
    '/',
    '.',
    './',
    '..',
    '../etc',
    'a/../..',
    '/a/..',
    '/_wp',
    '/_wp/x',
    '/x/../_wp',
    '/a\0b',
    '/.fred-project-id',
  ])('refuses %j', (declared) => {
    expect(() => volumePath(declared)).toThrow(expect.objectContaining({ code: 'volume_content' }));
  });

  it('tells what lies within by whole names', () => {
    expect(isWithin('/data/a', ['/data'])).toBe(true);
    expect(isWithin('/data', ['/data/'])).toBe(true);
    expect(isWithin('/data-extra', ['/data'])).toBe(false);
    expect(isWithin('/dat', ['/data'])).toBe(false);
  });
});
