/** Expressions that load, compute, compare and look up. */
import { compareOperators, type Expression, given } from '../model/index.ts';
import { VERDICT_REGISTER } from '../translate/index.ts';
import { type Codec, readRegister, readValue, required, writeRegister, writeValue } from './codecs.ts';
import { ANONYMOUS } from './message-numbers.ts';
import { readVerdict, writeVerdict } from './verdict-codec.ts';

type Of<K extends Expression['is']> = Codec<Extract<Expression, { readonly is: K }>>;

const meta: Of<'meta'> = {
  name: 'meta',
  attributes: [1, 2],
  write(writer, { key, into }) {
    writer.u32be(2, key);
    writeRegister(writer, 1, into);
  },
  read: (attributes) => ({
    is: 'meta',
    key: required(attributes.u32be(2), 'its key'),
    into: required(readRegister(attributes, 1), 'its register'),
  }),
};

const metaSet: Of<'meta-set'> = {
  name: 'meta',
  attributes: [2, 3],
  write(writer, { key, from }) {
    writer.u32be(2, key);
    writeRegister(writer, 3, from);
  },
  read: (attributes) => ({
    is: 'meta-set',
    key: required(attributes.u32be(2), 'its key'),
    from: required(readRegister(attributes, 3), 'its register'),
  }),
};

const payload: Of<'payload'> = {
  name: 'payload',
  attributes: [1, 2, 3, 4],
  write(writer, { base, offset, bytes, into }) {
    writeRegister(writer, 1, into);
    writer.u32be(2, base);
    writer.u32be(3, offset);
    writer.u32be(4, bytes);
  },
  read: (attributes) => ({
    is: 'payload',
    base: required(attributes.u32be(2), 'its header'),
    offset: required(attributes.u32be(3), 'its offset'),
    bytes: required(attributes.u32be(4), 'its length'),
    into: required(readRegister(attributes, 1), 'its register'),
  }),
};

const ct: Of<'ct'> = {
  name: 'ct',
  attributes: [1, 2, 3],
  write(writer, { key, direction, into }) {
    writer.u32be(2, key);
    writeRegister(writer, 1, into);
    if (direction !== undefined) writer.u8(3, direction);
  },
  read: (attributes) => ({
    is: 'ct',
    key: required(attributes.u32be(2), 'its key'),
    ...given('direction', attributes.u8(3)),
    into: required(readRegister(attributes, 1), 'its register'),
  }),
};

const ctSet: Of<'ct-set'> = {
  name: 'ct',
  attributes: [2, 4],
  write(writer, { key, from }) {
    writer.u32be(2, key);
    writeRegister(writer, 4, from);
  },
  read: (attributes) => ({
    is: 'ct-set',
    key: required(attributes.u32be(2), 'its key'),
    from: required(readRegister(attributes, 4), 'its register'),
  }),
};

const fib: Of<'fib'> = {
  name: 'fib',
  attributes: [1, 2, 3],
  write(writer, { result, flags, into }) {
    writer.u32be(3, flags);
    writer.u32be(2, result);
    writeRegister(writer, 1, into);
  },
  read: (attributes) => ({
    is: 'fib',
    result: required(attributes.u32be(2), 'its result'),
    flags: required(attributes.u32be(3), 'its flags'),
    into: required(readRegister(attributes, 1), 'its register'),
  }),
};

const cmp: Of<'cmp'> = {
  name: 'cmp',
  attributes: [1, 2, 3],
  write(writer, { operator, from, value }) {
    writeRegister(writer, 1, from);
    writer.u32be(2, compareOperators.indexOf(operator));
    writeValue(writer, 3, value);
  },
  read(attributes) {
    const operator = compareOperators[required(attributes.u32be(2), 'its operator')];
    if (operator === undefined) return undefined;
    return {
      is: 'cmp',
      operator,
      from: required(readRegister(attributes, 1), 'its register'),
      value: required(readValue(attributes, 3), 'its value'),
    };
  },
};

const range: Of<'range'> = {
  name: 'range',
  attributes: [1, 2, 3, 4],
  write(writer, { from, low, high, negated }) {
    writeRegister(writer, 1, from);
    writer.u32be(2, negated ? 1 : 0);
    writeValue(writer, 3, low);
    writeValue(writer, 4, high);
  },
  read: (attributes) => ({
    is: 'range',
    from: required(readRegister(attributes, 1), 'its register'),
    low: required(readValue(attributes, 3), 'its start'),
    high: required(readValue(attributes, 4), 'its end'),
    negated: attributes.u32be(2) === 1,
  }),
};

const bitwise: Of<'bitwise'> = {
  name: 'bitwise',
  attributes: [1, 2, 3, 4, 5, 6],
  write(writer, { from, into, mask, xor }) {
    writeRegister(writer, 1, from);
    writeRegister(writer, 2, into);
    writer.u32be(3, mask.length / 2);
    writeValue(writer, 4, mask);
    writeValue(writer, 5, xor);
  },
  read(attributes) {
    // Newer kernels name the operation: 0 is this one, the others shift.
    if ((attributes.u32be(6) ?? 0) !== 0) return undefined;
    return {
      is: 'bitwise',
      from: required(readRegister(attributes, 1), 'its register'),
      into: required(readRegister(attributes, 2), 'its target'),
      mask: required(readValue(attributes, 4), 'its mask'),
      xor: required(readValue(attributes, 5), 'its second operand'),
    };
  },
};

const immediate: Of<'immediate'> = {
  name: 'immediate',
  attributes: [1, 2],
  write(writer, { value, into }) {
    writeRegister(writer, 1, into);
    writeValue(writer, 2, value);
  },
  read(attributes) {
    const value = readValue(attributes, 2);
    const into = value === undefined ? undefined : readRegister(attributes, 1);
    return value === undefined || into === undefined ? undefined : { is: 'immediate', value, into };
  },
};

const DATA_VERDICT = 2;

const verdict: Of<'verdict'> = {
  name: 'immediate',
  attributes: [1, 2],
  write(writer, expression) {
    writer.u32be(1, VERDICT_REGISTER);
    writer.nested(2, () => writer.nested(DATA_VERDICT, () => writeVerdict(writer, expression.verdict)));
  },
  read(attributes) {
    const inner = attributes.nested(2)?.nested(DATA_VERDICT);
    const found = inner === undefined ? undefined : readVerdict(inner);
    return found === undefined ? undefined : { is: 'verdict', verdict: found };
  },
};

const LOOKUP_INVERTED = 1;

const lookup: Of<'lookup'> = {
  name: 'lookup',
  attributes: [1, 2, 3, 4, 5],
  write(writer, { set, from, into, negated }, context) {
    writeRegister(writer, 2, from);
    if (into === 'verdict') writer.u32be(3, VERDICT_REGISTER);
    else if (into !== undefined) writeRegister(writer, 3, into);
    writer.string(1, 'name' in set ? set.name : ANONYMOUS);
    if (!('name' in set)) writer.u32be(4, context.idOf(set));
    if (negated) writer.u32be(5, LOOKUP_INVERTED);
  },
  read(attributes, context) {
    const target = attributes.u32be(3);
    const into = target === VERDICT_REGISTER ? 'verdict' : readRegister(attributes, 3);
    return {
      is: 'lookup',
      set: context.set(required(attributes.string(1), 'its set')),
      from: required(readRegister(attributes, 2), 'its register'),
      ...given('into', into),
      negated: attributes.u32be(5) === LOOKUP_INVERTED,
    };
  },
};

const dynset: Of<'dynset'> = {
  name: 'dynset',
  attributes: [1, 3, 4, 6, 8, 9],
  write(writer, { set, operation, from, timeoutMs }) {
    writeRegister(writer, 4, from);
    writer.u32be(3, operation);
    writer.string(1, set);
    if (timeoutMs !== undefined) writer.u64be(6, BigInt(timeoutMs));
  },
  read(attributes) {
    if ((attributes.u32be(9) ?? 0) !== 0) return undefined;
    const timeoutMs = Number(attributes.u64be(6) ?? 0);
    return {
      is: 'dynset',
      set: required(attributes.string(1), 'its set'),
      operation: required(attributes.u32be(3), 'its operation'),
      from: required(readRegister(attributes, 4), 'its register'),
      ...(timeoutMs === 0 ? {} : { timeoutMs }),
    };
  },
};

export const loadCodecs = {
  meta,
  'meta-set': metaSet,
  payload,
  ct,
  'ct-set': ctSet,
  fib,
  cmp,
  range,
  bitwise,
  immediate,
  verdict,
  lookup,
  dynset,
};
