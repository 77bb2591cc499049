/** What the codec of one expression is, and the pieces that they share. */
import { type Attributes, type MessageWriter, malformed } from '../../netlink/index.ts';
import type { Expression, Inline, Register, RegisterRange, SetReference } from '../model/index.ts';
import { registerAt, registerNumber } from '../translate/index.ts';

export interface WriteContext {
  /** The number by which an anonymous set of the same batch is known. */
  idOf(inline: Inline): number;
}

export interface ReadContext {
  /** The set of that name, or what is in it if it is anonymous. */
  set(name: string): SetReference;
}

/** A codec is only ever handed the expressions of its own row. */
export interface Codec<E extends Expression> {
  /** What the kernel calls it. */
  readonly name: string;
  /** The attributes that we know. One with others in it is not what we take it for. */
  readonly attributes: readonly number[];
  write(writer: MessageWriter, expression: E, context: WriteContext): void;
  /** `undefined`: well-formed, but none of ours. */
  read(attributes: Attributes, context: ReadContext): E | undefined;
}

const VALUE = 1;

/** A value of a register, wrapped as the kernel wraps all of them. */
export function writeValue(writer: MessageWriter, type: number, hex: string): void {
  writer.nested(type, () => writer.binary(VALUE, Buffer.from(hex, 'hex')));
}

export function readValue(attributes: Attributes, type: number): string | undefined {
  return attributes.nested(type)?.binary(VALUE)?.toString('hex');
}

export const writeRegister = (writer: MessageWriter, type: number, register: Register): void =>
  writer.u32be(type, registerNumber(register));

export function readRegister(attributes: Attributes, type: number): Register | undefined {
  const number = attributes.u32be(type);
  return number === undefined ? undefined : registerAt(number);
}

export function writeRegisterRange(
  writer: MessageWriter,
  low: number,
  high: number,
  range: RegisterRange | undefined,
): void {
  if (range === undefined) return;
  writeRegister(writer, low, range.low);
  if (range.high !== undefined) writeRegister(writer, high, range.high);
}

/** The kernel names one register twice where there is no range. */
export function readRegisterRange(
  attributes: Attributes,
  low: number,
  high: number,
): RegisterRange | undefined {
  const first = readRegister(attributes, low);
  const last = readRegister(attributes, high);
  if (first === undefined) return undefined;
  return last === undefined || last === first ? { low: first } : { low: first, high: last };
}

/** An attribute without which the expression makes no sense. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw malformed(`an expression lacks ${what}`);
  return value;
}
