/** Statements that put fixed values into registers and then use them: translation, proxy, marks. */
import {
  type DataType,
  dataTypes,
  type Expression,
  type Family,
  given,
  type NatFlag,
  type PortTarget,
  type Range,
  type Register,
  type RegisterRange,
  type Statement,
} from '../model/index.ts';
import { MARK_KEY, NAT_FLAGS } from './kernel-numbers.ts';
import { type Reading, reading } from './reading.ts';

/** The fixed values in front of an expression, by register. */
type Values = ReadonlyMap<Register, string>;

export function raiseTarget(rest: readonly Expression[]): Reading | undefined {
  const values = new Map<Register, string>();
  for (const [index, expression] of rest.entries()) {
    if (expression.is !== 'immediate') {
      const statement = raise(expression, values);
      return statement === undefined ? undefined : reading(index + 1, statement);
    }
    values.set(expression.into, expression.value);
  }
  return undefined;
}

function raise(expression: Expression, values: Values): Statement | undefined {
  switch (expression.is) {
    case 'nat': {
      const { direction, family } = expression;
      const to = {
        ...given('address', addressAt(values, family, expression.address)),
        ...given('port', portAt(values, expression.port)),
      };
      return { kind: 'nat', direction, family, to, flags: natFlags(expression.flags) };
    }
    case 'masq': {
      const ports = portAt(values, expression.port);
      return { kind: 'masquerade', ...given('ports', ports), flags: natFlags(expression.flags) };
    }
    case 'redir': {
      const port = portAt(values, expression.port);
      return { kind: 'redirect', ...given('port', port), flags: natFlags(expression.flags) };
    }
    case 'tproxy': {
      const address = scalarAt(values, addressType(expression.family), expression.address);
      const port = scalarAt(values, 'inet_service', expression.port);
      return {
        kind: 'tproxy',
        family: expression.family,
        ...(typeof address === 'string' ? { address } : {}),
        ...(typeof port === 'number' ? { port } : {}),
      };
    }
    case 'meta-set':
    case 'ct-set': {
      const value = scalarAt(values, 'mark', expression.from);
      if (expression.key !== MARK_KEY || typeof value !== 'number') return undefined;
      return { kind: 'set-mark', of: expression.is === 'meta-set' ? 'meta' : 'ct', to: { value } };
    }
    default:
      return undefined;
  }
}

function scalarAt(
  values: Values,
  type: DataType,
  register: Register | undefined,
): string | number | undefined {
  const hex = register === undefined ? undefined : values.get(register);
  const bytes = Buffer.from(hex ?? '', 'hex');
  return bytes.length === dataTypes[type].bytes ? dataTypes[type].read(bytes, 0) : undefined;
}

const addressType = (family: Family): DataType => (family === 'ip' ? 'ipv4_addr' : 'ipv6_addr');

function addressAt(
  values: Values,
  family: Family,
  registers: RegisterRange | undefined,
): string | Range<string> | undefined {
  const from = scalarAt(values, addressType(family), registers?.low);
  const to = scalarAt(values, addressType(family), registers?.high);
  if (typeof from !== 'string') return undefined;
  return typeof to === 'string' ? { from, to } : from;
}

function portAt(values: Values, registers: RegisterRange | undefined): PortTarget | undefined {
  const from = scalarAt(values, 'inet_service', registers?.low);
  const to = scalarAt(values, 'inet_service', registers?.high);
  if (typeof from !== 'number') return undefined;
  return typeof to === 'number' ? { from, to } : from;
}

export const natFlags = (flags: number): readonly NatFlag[] =>
  (['random', 'fully-random', 'persistent'] as const).filter((flag) => (flags & NAT_FLAGS[flag]) !== 0);
