/** Registers are 32 bits wide and lie side by side; values go into as many of them as they need. */
import { malformed } from '../../netlink/index.ts';
import { type Expression, type Field, fieldBytes, fieldRow, type Register } from '../model/index.ts';

const REGISTER_BYTES = 4;
const REGISTERS = 16;
export const registersFor = (bytes: number): number => Math.ceil(bytes / REGISTER_BYTES);

/** The number that stands for the verdict where a register is asked for. */
export const VERDICT_REGISTER = 0;
/** Numbers 1 to 4 are the registers of old, each as wide as four of the new ones, which begin at 8. */
const FIRST_NARROW = 8;

/** As `nft` and the kernel write it: by the old numbers where the place has one. */
export const registerNumber = (register: Register): number =>
  register % 4 === 0 ? 1 + register / 4 : FIRST_NARROW + register;

export function registerAt(number: number): Register {
  if (number >= 1 && number <= 4) return (number - 1) * 4;
  if (number >= FIRST_NARROW && number < FIRST_NARROW + REGISTERS) return number - FIRST_NARROW;
  throw malformed(`there is no register ${number}`);
}

/** Loads one field, or its first bytes. */
export function load(field: Field, into: Register, bytes: number = fieldBytes(field)): Expression {
  const { source } = fieldRow(field);
  switch (source.from) {
    case 'meta':
      return { is: 'meta', key: source.key, into };
    case 'payload':
      return { is: 'payload', base: source.base, offset: source.offset, bytes, into };
    case 'ct':
      return source.direction === undefined
        ? { is: 'ct', key: source.key, into }
        : { is: 'ct', key: source.key, direction: source.direction, into };
    case 'fib':
      return { is: 'fib', result: source.result, flags: source.flags, into };
  }
}

/** Loads several fields one behind the other, as a concatenation. */
export function loadAll(fields: readonly Field[]): Expression[] {
  let next: Register = 0;
  return fields.map((field) => {
    const expression = load(field, next);
    next += registersFor(fieldBytes(field));
    return expression;
  });
}
