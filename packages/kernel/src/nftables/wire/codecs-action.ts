/** Expressions that count, limit, log, reject and leave untracked. */
import { type Expression, given } from '../model/index.ts';
import { type Codec, required } from './codecs.ts';

type Of<K extends Expression['is']> = Codec<Extract<Expression, { readonly is: K }>>;

const reject: Of<'reject'> = {
  name: 'reject',
  attributes: [1, 2],
  write(writer, { type, code }) {
    writer.u32be(1, type);
    writer.u8(2, code);
  },
  read: (attributes) => ({
    is: 'reject',
    type: required(attributes.u32be(1), 'its type'),
    // A reset has no code.
    code: attributes.u8(2) ?? 0,
  }),
};

const counter: Of<'counter'> = {
  name: 'counter',
  attributes: [1, 2, 3],
  write(writer, { packets, bytes }) {
    writer.u64be(1, BigInt(bytes));
    writer.u64be(2, BigInt(packets));
  },
  read: (attributes) => ({
    is: 'counter',
    packets: Number(attributes.u64be(2) ?? 0),
    bytes: Number(attributes.u64be(1) ?? 0),
  }),
};

const objref: Of<'objref'> = {
  name: 'objref',
  attributes: [1, 2],
  write(writer, { type, name }) {
    writer.u32be(1, type);
    writer.string(2, name);
  },
  read: (attributes) => ({
    is: 'objref',
    type: required(attributes.u32be(1), 'its type'),
    name: required(attributes.string(2), 'its name'),
  }),
};

const limit: Of<'limit'> = {
  name: 'limit',
  attributes: [1, 2, 3, 4, 5, 6],
  write(writer, { rate, unitSeconds, burst, type, flags }) {
    writer.u64be(1, BigInt(rate));
    writer.u64be(2, BigInt(unitSeconds));
    writer.u32be(4, type);
    writer.u32be(3, burst);
    writer.u32be(5, flags);
  },
  read: (attributes) => ({
    is: 'limit',
    rate: Number(required(attributes.u64be(1), 'its rate')),
    unitSeconds: Number(required(attributes.u64be(2), 'its unit')),
    burst: attributes.u32be(3) ?? 0,
    type: attributes.u32be(4) ?? 0,
    flags: attributes.u32be(5) ?? 0,
  }),
};

const log: Of<'log'> = {
  name: 'log',
  attributes: [1, 2, 3, 4, 5, 6],
  write(writer, { prefix, level, group }) {
    if (prefix !== undefined) writer.string(2, prefix);
    if (level !== undefined) writer.u32be(5, level);
    if (group !== undefined) writer.u16be(1, group);
  },
  read(attributes) {
    // How much of a packet is sent on, in what portions, and which headers are spelled out: we never ask for it.
    if (
      (attributes.u32be(3) ?? 0) !== 0 ||
      (attributes.u16be(4) ?? 0) > 1 ||
      (attributes.u32be(6) ?? 0) !== 0
    ) {
      return undefined;
    }
    return {
      is: 'log',
      ...given('prefix', attributes.string(2)),
      ...given('level', attributes.u32be(5)),
      ...given('group', attributes.u16be(1)),
    };
  },
};

const notrack: Of<'notrack'> = {
  name: 'notrack',
  attributes: [],
  write: () => undefined,
  read: () => ({ is: 'notrack' }),
};

export const actionCodecs = { reject, counter, objref, limit, log, notrack };
