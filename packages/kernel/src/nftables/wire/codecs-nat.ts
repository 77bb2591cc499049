/** Expressions that rewrite addresses and ports, or hand packets to a local proxy. */
import { type Expression, familyNumber, familyOf, given, type RegisterRange } from '../model/index.ts';
import { NAT_FLAGS } from '../translate/index.ts';
import {
  type Codec,
  readRegister,
  readRegisterRange,
  required,
  writeRegister,
  writeRegisterRange,
} from './codecs.ts';

type Of<K extends Expression['is']> = Codec<Extract<Expression, { readonly is: K }>>;

const SNAT = 0;
const DNAT = 1;

/** The kernel and `nft` also say by flags what the registers say already: whether there is an address, a port. */
const PORT_GIVEN = 2;
const CHOSEN = Object.values(NAT_FLAGS).reduce((all, flag) => all | flag, 0);

const allFlags = (chosen: number, port: RegisterRange | undefined): number =>
  port === undefined ? chosen : chosen | PORT_GIVEN;

const chosenFlags = (flags: number | undefined): number => (flags ?? 0) & CHOSEN;

const nat: Of<'nat'> = {
  name: 'nat',
  attributes: [1, 2, 3, 4, 5, 6, 7],
  write(writer, { direction, family, address, port, flags }) {
    writer.u32be(1, direction === 'dnat' ? DNAT : SNAT);
    writer.u32be(2, familyNumber(family));
    writeRegisterRange(writer, 3, 4, address);
    writeRegisterRange(writer, 5, 6, port);
    const all = allFlags(flags, port);
    if (all !== 0) writer.u32be(7, all);
  },
  read(attributes) {
    const type = attributes.u32be(1);
    const family = familyOf(attributes.u32be(2) ?? 0);
    if ((type !== SNAT && type !== DNAT) || family === undefined) return undefined;
    return {
      is: 'nat',
      direction: type === DNAT ? 'dnat' : 'snat',
      family,
      ...given('address', readRegisterRange(attributes, 3, 4)),
      ...given('port', readRegisterRange(attributes, 5, 6)),
      flags: chosenFlags(attributes.u32be(7)),
    };
  },
};

const masq: Of<'masq'> = {
  name: 'masq',
  attributes: [1, 2, 3],
  write(writer, { port, flags }) {
    const all = allFlags(flags, port);
    if (all !== 0) writer.u32be(1, all);
    writeRegisterRange(writer, 2, 3, port);
  },
  read: (attributes) => ({
    is: 'masq',
    ...given('port', readRegisterRange(attributes, 2, 3)),
    flags: chosenFlags(attributes.u32be(1)),
  }),
};

const redir: Of<'redir'> = {
  name: 'redir',
  attributes: [1, 2, 3],
  write(writer, { port, flags }) {
    writeRegisterRange(writer, 1, 2, port);
    const all = allFlags(flags, port);
    if (all !== 0) writer.u32be(3, all);
  },
  read: (attributes) => ({
    is: 'redir',
    ...given('port', readRegisterRange(attributes, 1, 2)),
    flags: chosenFlags(attributes.u32be(3)),
  }),
};

const tproxy: Of<'tproxy'> = {
  name: 'tproxy',
  attributes: [1, 2, 3],
  write(writer, { family, address, port }) {
    writer.u32be(1, familyNumber(family));
    if (address !== undefined) writeRegister(writer, 2, address);
    if (port !== undefined) writeRegister(writer, 3, port);
  },
  read(attributes) {
    const family = familyOf(required(attributes.u32be(1), 'its family'));
    if (family === undefined || family === 'inet') return undefined;
    return {
      is: 'tproxy',
      family,
      ...given('address', readRegister(attributes, 2)),
      ...given('port', readRegister(attributes, 3)),
    };
  },
};

export const natCodecs = { nat, masq, redir, tproxy };
