import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fields } from './fields.ts';

const fields = new Fields(
  {
    name: 'web',
    empty: '',
    none: null,
    count: 3,
    on: true,
    inner: { deep: { name: 'x' } },
    names: ['a', 'b'],
    labels: { a: 'b' },
    items: [{ id: '1' }, { id: '2' }],
    set: { '80/tcp': {} },
    byName: { a: { id: '1' }, gone: null },
  },
  'the answer',
);

describe('the fields of an answer', () => {
  it('are read as what they have to be', () => {
    expect(fields.text('name')).toBe('web');
    expect(fields.number('count')).toBe(3);
    expect(fields.flag('on')).toBe(true);
    expect(fields.fields('inner').fields('deep').text('name')).toBe('x');
    expect(fields.texts('names')).toEqual(['a', 'b']);
    expect(fields.textMap('labels')).toEqual({ a: 'b' });
    expect(fields.list('items').map((item) => item.text('id'))).toEqual(['1', '2']);
    expect(fields.keys('set')).toEqual(['80/tcp']);
    expect(fields.each('byName').map(([name, one]) => [name, one.text('id')])).toEqual([['a', '1']]);
  });

  it('may be absent or null where that means empty', () => {
    for (const key of ['absent', 'none']) {
      expect(fields.maybeText(key)).toBeUndefined();
      expect(fields.maybeNumber(key)).toBeUndefined();
      expect(fields.maybeFields(key)).toBeUndefined();
      expect(fields.flag(key)).toBe(false);
      expect(fields.texts(key)).toEqual([]);
      expect(fields.textMap(key)).toEqual({});
      expect(fields.list(key)).toEqual([]);
      expect(fields.keys(key)).toEqual([]);
    }
    expect(fields.maybeText('empty')).toBeUndefined();
  });

  it('are named in full when they are wrong', () => {
    expect(() => fields.fields('inner').fields('deep').number('name')).toThrow(
      'the answer: inner: deep: name is not a number but "x"',
    );
    expect(() => fields.text('absent')).toThrow('the answer: absent is not a text but absent');
    expect(() => fields.list('items')[1]?.number('id')).toThrow('the answer: items[1]: id is not a number');
    expect(() => fields.textMap('inner')).toThrow('inner.deep is not a text');
    expect(() => new Fields([], 'the answer')).toThrow('the answer is not an object but []');
  });

  it('end in our own error, whatever the answer is', () => {
    const readers: ((read: Fields) => unknown)[] = [
      (read) => read.text('a'),
      (read) => read.maybeText('a'),
      (read) => read.maybeNumber('a'),
      (read) => read.flag('a'),
      (read) => read.maybeFields('a'),
      (read) => read.list('a'),
      (read) => read.texts('a'),
      (read) => read.textMap('a'),
      (read) => read.each('a'),
      (read) => read.keys('a'),
    ];
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue() })),
        fc.constantFrom(...readers),
        (value, read) => {
          try {
            read(new Fields(value, 'the answer'));
          } catch (error) {
            expect(error).toMatchObject({ code: 'ENGINE_ANSWER' });
          }
        },
      ),
    );
  });
});
