import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSelector, matches, parseLabelSelector } from './selector.ts';

describe('label selector', () => {
  it.each(['', '  ', ',', ' , ,'])('is empty when %j is given', (text) => {
    expect(parseLabelSelector(text)).toEqual([]);
  });

  it('sorts by key, trims, skips blank entries, and splits at the first equals sign only', () => {
    expect(formatSelector(parseLabelSelector(' b = x=y , ,a= , c=1 '))).toBe('a=,b=x=y,c=1');
  });

  it('takes the same pair twice for one', () => {
    expect(parseLabelSelector('a=1,a=1')).toEqual([{ key: 'a', value: '1' }]);
  });

  it.each([
    ['a', `label selector entry "a" missing '='`],
    ['a=1, b ', `label selector entry "b" missing '='`],
    [' =1', 'label selector entry "=1" has empty key'],
    ['a=1,a=2', 'label selector has duplicate key "a" with conflicting values "1" and "2"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(
      expect.objectContaining({ code: 'SELECTOR_INVALID', message }),
    );
  });

  it('holds only where every pair does, an empty value only for a label that is there and empty', () => {
    const selector = parseLabelSelector('identity=ldap,edge=');
    expect(matches(selector, { identity: 'ldap', edge: '', other: 'x' })).toBe(true);
    expect(matches(selector, { identity: 'ldap' })).toBe(false);
    expect(matches(selector, { identity: 'mail', edge: '' })).toBe(false);
  });

  it('reads back what it writes', () => {
    const word = fc.stringMatching(/^[a-z0-9._/-]{1,12}$/);
    const pair = fc.tuple(word, fc.stringMatching(/^[a-z0-9._=-]{0,12}$/));
    fc.assert(
      fc.property(fc.uniqueArray(pair, { selector: ([key]) => key }), (pairs) => {
        const text = pairs.map(([key, value]) => `${key}=${value}`).join(' , ');
        const parsed = parseLabelSelector(text);
        expect(parseLabelSelector(formatSelector(parsed))).toEqual(parsed);
        expect(matches(parsed, Object.fromEntries(pairs))).toBe(true);
      }),
    );
  });
});
