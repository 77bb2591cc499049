import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labName, namespaceName, placeOf } from './names.ts';

describe('the names of a lab', () => {
  it.each(['berth', 'a', 'berth-4711', 'x2'])('takes %s', (name) => {
    expect(labName(name)).toBe(name);
  });

  it.each([
    '',
    'Berth',
    '9lives',
    'a/b',
    '../x',
    'a b',
    'trailing-',
    'a'.repeat(25),
  ])('refuses "%s"', (name) => {
    expect(() => labName(name)).toThrow(expect.objectContaining({ code: 'BAD_NAME' }));
  });

  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  const place = fc.constantFrom('lan', 'inet', 'host1', 'host12', 'client1', 'client9');

  it('tell which place a namespace is', () => {
    fc.assert(
      fc.property(name, place, (lab, where) => {
        expect(placeOf(labName(lab), namespaceName(labName(lab), where))).toBe(where);
      }),
    );
  });

  it('never claim a namespace of another lab, whatever that is called', () => {
    fc.assert(
      fc.property(name, name, place, (lab, other, where) => {
        fc.pre(lab !== other);
        expect(placeOf(labName(lab), namespaceName(labName(other), where))).toBeUndefined();
      }),
    );
  });
});
