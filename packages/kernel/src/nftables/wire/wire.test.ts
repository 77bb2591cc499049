import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Attributes, MessageWriter } from '../../netlink/index.ts';
import { keyIdentity, planOfSet } from '../keys/index.ts';
import {
  type AnyElement,
  type Expression,
  type Inline,
  markOf,
  readMark,
  type SetOrMap,
} from '../model/index.ts';
import { entry, map, set } from '../model/public.ts';
import { arbitraryRuleset } from '../testing/arbitrary-rulesets.ts';
import { shapes } from '../testing/shapes.ts';
import { lowerStatements } from '../translate/index.ts';
import { readElements } from './elements-read.ts';
import { portions, writeElements } from './elements-write.ts';
import { readExpressions, writeExpressions } from './expression-codec.ts';
import { readSet, writeSet } from './set-codec.ts';
import { comment, readComment, writeNotes } from './userdata.ts';

const malformed = expect.objectContaining({ code: 'KERNEL_MALFORMED' });

/** Whatever the bytes are: values, or KERNEL_MALFORMED. */
function survives(read: (bytes: Buffer) => unknown): void {
  // Attributes whose lengths are right more often than by chance.
  const attribute = fc.tuple(fc.nat(20), fc.uint8Array({ maxLength: 40 })).map(([type, value]) => {
    const writer = new MessageWriter();
    writer.binary(type, value);
    return Buffer.from(writer.bytes);
  });
  const nested = fc.array(attribute, { maxLength: 5 }).map((list) => Buffer.concat(list));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((list) => Buffer.from(list)),
    nested,
  );
  fc.assert(
    fc.property(bytes, (garbage) => {
      try {
        read(garbage);
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }),
    { numRuns: 2000 },
  );
}

/** The bytes with some of them changed: nearly right is the hardest garbage. */
const damaged = (bytes: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .array(fc.tuple(fc.nat(Math.max(0, bytes.length - 1)), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });

const written = (write: (writer: MessageWriter) => void): Buffer => {
  const writer = new MessageWriter();
  write(writer);
  return Buffer.from(writer.bytes);
};

describe('expressions on the wire', () => {
  /** The sets of a rule by the numbers that they get. */
  function throughTheWire(expressions: readonly Expression[]): Expression[] {
    const inlines: Inline[] = [];
    const bytes = written((writer) =>
      writeExpressions(writer, { idOf: (inline) => inlines.push(inline) }, expressions),
    );
    return readExpressions(new Attributes(bytes), {
      // As the kernel answers: with the name that it gave.
      set: (name) => (name.startsWith('__') ? (inlines.shift() ?? { name }) : { name }),
    });
  }

  it('come back as they went, for every shape and for random rules', () => {
    const check = (tables: (typeof shapes)[number]['ruleset']['tables']): void => {
      for (const one of tables) {
        for (const { statements } of one.chains.flatMap(({ rules }) => rules)) {
          const expressions = lowerStatements(one, statements);
          expect(throughTheWire(expressions)).toEqual(expressions);
        }
      }
    };
    for (const { ruleset } of shapes) check(ruleset.tables);
    fc.assert(
      fc.property(arbitraryRuleset, ({ tables }) => check(tables)),
      { numRuns: 50 },
    );
  });

  it('that we do not know come back byte by byte', () => {
    const opaque: Expression[] = [
      { is: 'opaque', name: 'xfrm', bytes: '0800010000000001' },
      { is: 'opaque', name: 'last', bytes: '' },
    ];
    expect(throughTheWire(opaque)).toEqual(opaque);
  });

  it('with an attribute that we do not know are not what they seem', () => {
    const bytes = written((writer) =>
      writer.nested(1, () => {
        writer.string(1, 'meta');
        writer.nested(2, () => {
          writer.u32be(1, 1);
          writer.u32be(2, 6);
          writer.u32be(9, 0);
        });
      }),
    );
    const set = (name: string) => ({ name });
    expect(readExpressions(new Attributes(bytes), { set })).toMatchObject([{ is: 'opaque', name: 'meta' }]);
  });

  it('may be garbage', () => {
    const read = (bytes: Buffer) => readExpressions(new Attributes(bytes), { set: (name) => ({ name }) });
    survives(read);
    const all = shapes.flatMap(({ ruleset }) =>
      ruleset.tables.flatMap((one) =>
        one.chains.flatMap(({ rules }) => rules.map(({ statements }) => lowerStatements(one, statements))),
      ),
    );
    const bytes = fc
      .nat(all.length - 1)
      .chain((index) =>
        damaged(written((writer) => writeExpressions(writer, { idOf: () => 1 }, all[index] ?? []))),
      );
    fc.assert(
      fc.property(bytes, (garbage) => {
        try {
          read(garbage);
        } catch (error) {
          expect(error).toEqual(malformed);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('elements on the wire', () => {
  const plain = ({ elements }: SetOrMap): readonly AnyElement[] => elements;
  const refuse = (why: string): void => expect.unreachable(why);

  it('come back as they went, for every set of every shape and for random ones', () => {
    const check = (one: SetOrMap): void => {
      const plan = planOfSet(one);
      const lists = [...portions(plan, plain(one))].map(
        (portion) => new Attributes(written((writer) => writeElements(writer, plan, portion))),
      );
      const read = readElements(plan, lists, refuse);
      const byKey = (list: readonly AnyElement[]) =>
        list
          .map(({ key, ...rest }) => ({ ...rest, key: keyIdentity(plan.key, key) }))
          .sort((left, right) => (left.key < right.key ? -1 : 1));
      const canonical = byKey(plain(one)).map((element, index) => ({
        ...element,
        data: byKey(read)[index]?.data,
      }));
      expect(byKey(read)).toEqual(canonical);
    };
    for (const { ruleset } of shapes) ruleset.tables.flatMap(({ sets }) => sets).forEach(check);
    fc.assert(
      fc.property(arbitraryRuleset, ({ tables }) => {
        tables.flatMap(({ sets }) => sets).forEach(check);
      }),
      { numRuns: 100 },
    );
  });

  it('go in portions that fit into one attribute', () => {
    const long = 'x'.repeat(127);
    const many = map(
      'm',
      { key: ['ipv6_addr', 'inet_service'], data: ['ipv6_addr', 'inet_service'] },
      Array.from({ length: 3000 }, (_, index) =>
        entry([`fd00::${index}`, 1], ['fd00::', 1], index % 2 === 0 ? {} : { comment: long }),
      ),
    );
    const plan = planOfSet(many);
    const parts = [...portions(plan, plain(many))];
    expect(parts.flat()).toEqual(many.elements);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(1000);
      expect(written((writer) => writeElements(writer, plan, part)).length).toBeLessThan(65_000);
    }
    expect([...portions(plan, [])]).toEqual([]);
  });

  it('that end where addresses end, and that touch, are told apart', () => {
    const plan = planOfSet(set('s', { key: 'ipv4_addr', intervals: true }));
    const keys = [['0.0.0.0/8'], ['1.0.0.0/8'], ['255.255.255.255'], ['255.0.0.0/9']];
    const bytes = written((writer) =>
      writeElements(
        writer,
        plan,
        keys.map((key) => ({ key })),
      ),
    );
    expect(readElements(plan, [new Attributes(bytes)], refuse).map(({ key }) => key)).toEqual([
      ['0.0.0.0/8'],
      ['1.0.0.0/8'],
      ['255.0.0.0/9'],
      ['255.255.255.255'],
    ]);
  });

  it('may be garbage', () => {
    for (const one of [
      set('s', { key: 'ipv4_addr', intervals: true }),
      set('s', { key: ['ipv4_addr', 'inet_service'], intervals: true }),
      map('m', { key: 'inet_service', data: ['ipv6_addr', 'inet_service'] }),
      map('m', { key: 'ifname', data: 'verdict' }),
    ]) {
      survives((bytes) => readElements(planOfSet(one), [new Attributes(bytes)], () => undefined));
    }
  });
});

describe('sets on the wire', () => {
  it('come back as they went, for every shape and for random ones', () => {
    const check = (one: SetOrMap): void => {
      const bytes = written((writer) => writeSet(writer, 't', 1, one));
      expect(readSet(new Attributes(bytes))).toEqual({
        name: one.name,
        anonymous: false,
        set: { ...one, elements: [] },
      });
    };
    for (const { ruleset } of shapes) ruleset.tables.flatMap(({ sets }) => sets).forEach(check);
    fc.assert(
      fc.property(arbitraryRuleset, ({ tables }) => {
        tables.flatMap(({ sets }) => sets).forEach(check);
      }),
      { numRuns: 100 },
    );
  });

  it('may be garbage', () => survives((bytes) => readSet(new Attributes(bytes))));
});

describe('comments', () => {
  it('survive the way to bytes and back', () => {
    expect(readComment(writeNotes([comment(0, 'für später')]))).toBe('für später');
    expect(readComment(writeNotes([comment(7, 'a set')]), 7)).toBe('a set');
    expect(readComment(undefined)).toBeUndefined();
  });

  it.each(['x'.repeat(128), 'ü'.repeat(64), 'two\nlines', 'a "quote"', 'a\0b'])('refuse %j', (text) => {
    expect(() => comment(0, text)).toThrow(expect.objectContaining({ code: 'KERNEL_BAD_VALUE' }));
  });

  it('of other programs may be anything', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void readComment(Buffer.from(bytes))));
  });

  it('of a table say whose it is, and more', () => {
    expect(readMark(markOf('anchord', undefined))).toEqual({ owner: 'anchord' });
    expect(readMark(markOf('anchord', 'a: b'))).toEqual({ owner: 'anchord', words: 'a: b' });
    for (const text of [undefined, '', 'berth/', 'berth/a b', 'my berth/anchord', 'Berth/anchord']) {
      expect(readMark(text)).toBeUndefined();
    }
    expect(() => markOf('a b', undefined)).toThrow(/is not an owner/);
  });
});
