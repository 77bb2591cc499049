import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNumeric, parseGroup, parsePasswd, parseUser, resolveUser } from './accounts.ts';

const passwd =
  'root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:1000:100::/:\nbad:x:abc:1\n:x:1:1\nweb:x:5:5\n';
const group = 'root:x:0:\nusers:x:100:web\nwww-data:x:33:\nwww-data:x:34:\n';

describe('a user of an image', () => {
  it.each<[string, { uid: number; gid: number } | string]>([
    ['0', { uid: 0, gid: 0 }],
    ['999', { uid: 999, gid: 999 }],
    ['999:7', { uid: 999, gid: 7 }],
    ['999:www-data', { uid: 999, gid: 33 }],
    ['web', { uid: 1000, gid: 100 }],
    ['web:www-data', { uid: 1000, gid: 33 }],
    ['web:0', { uid: 1000, gid: 0 }],
    ['nobody', 'the image has no user "nobody"'],
    ['web:nogroup', 'the image has no group "nogroup"'],
    ['bad', 'the image has no user "bad"'],
    ['4294967295', 'the image has no user "4294967295"'],
  ])('%s', (written, expected) => {
    expect(resolveUser(parseUser(written), passwd, group)).toEqual(expected);
  });

  it('by numbers alone needs no file', () => {
    expect(['1', '1:2', 'web', '1:web', 'web:1'].map((user) => isNumeric(parseUser(user)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('is read from any file without a fault', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, user) => {
        for (const account of parsePasswd(text)) expect(Number.isInteger(account.uid)).toBe(true);
        for (const gid of parseGroup(text).values()) expect(Number.isInteger(gid)).toBe(true);
        expect(resolveUser(parseUser(user), text, text)).toBeDefined();
      }),
    );
  });
});
