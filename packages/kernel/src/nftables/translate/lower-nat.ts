/** From address translation to expressions. */
import {
  badValue,
  type DataType,
  dataTypes,
  type Expression,
  type Family,
  type Field,
  fieldRow,
  type Masquerade,
  type Nat,
  type NatFlag,
  type NatTarget,
  type PortTarget,
  type Range,
  type Redirect,
  type Register,
  type RegisterRange,
  type SetOrMap,
  type SetReference,
  type TransparentProxy,
} from '../model/index.ts';
import { NAT_FLAGS } from './kernel-numbers.ts';
import { loadAll, registersFor } from './registers.ts';

const flagBits = (flags: readonly NatFlag[]): number => flags.reduce((all, flag) => all | NAT_FLAGS[flag], 0);

function addressType(family: Family): DataType {
  if (family === 'inet') throw badValue(family, 'the family of an address: name ip or ip6');
  return family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
}

/** Collects immediate values into one register after another. */
class Registers {
  readonly loads: Expression[] = [];
  #next: Register = 0;

  put(type: DataType, value: string | number): Register {
    const row = dataTypes[type];
    const bytes = Buffer.alloc(row.bytes);
    row.write(value, bytes, 0);
    const into = this.#next;
    this.loads.push({ is: 'immediate', value: bytes.toString('hex'), into });
    // `nft` leaves the rest of the four registers that older kernels address as one.
    this.#next += 4;
    return into;
  }

  putRange(type: DataType, value: string | number | Range): RegisterRange {
    if (typeof value !== 'object') return { low: this.put(type, value) };
    return { low: this.put(type, value.from), high: this.put(type, value.to) };
  }
}

export function lowerNat(table: { readonly sets: readonly SetOrMap[] }, nat: Nat): Expression[] {
  const { direction, family, to } = nat;
  const flags = flagBits(nat.flags);
  if ('fields' in to) {
    const { lookup, port } = lowerNatLookup(table.sets, family, to);
    const target = port === undefined ? {} : { port };
    return [
      ...loadAll(to.fields),
      lookup,
      { is: 'nat', direction, family, address: { low: 0 }, ...target, flags },
    ];
  }
  const registers = new Registers();
  const address =
    to.address === undefined ? {} : { address: registers.putRange(addressType(family), to.address) };
  const port = to.port === undefined ? {} : { port: registers.putRange('inet_service', to.port) };
  return [...registers.loads, { is: 'nat', direction, family, ...address, ...port, flags }];
}

function lowerNatLookup(
  sets: readonly SetOrMap[],
  family: Family,
  { fields, map }: Extract<NatTarget, { readonly fields: readonly Field[] }>,
): { readonly lookup: Expression; readonly port?: RegisterRange } {
  const address = addressType(family);
  let set: SetReference;
  let withPort: boolean;
  if ('name' in map) {
    set = map;
    withPort = mapAnswersPort(sets, map.name, address);
  } else {
    withPort = map.entries.some(({ data }) => data.length > 1);
    const key = fields.map((field) => fieldRow(field).type);
    set = { key, data: withPort ? [address, 'inet_service'] : [address], content: map };
  }
  return {
    lookup: { is: 'lookup', set, from: 0, into: 0, negated: false },
    ...(withPort ? { port: { low: registersFor(dataTypes[address].bytes) } } : {}),
  };
}

function mapAnswersPort(sets: readonly SetOrMap[], name: string, address: DataType): boolean {
  const found = sets.find((set) => set.name === name);
  const data = found?.kind === 'map' && found.data !== 'verdict' ? found.data : [];
  const [first, second, ...others] = data;
  if (first !== address || others.length > 0 || (second !== undefined && second !== 'inet_service')) {
    throw badValue(name, `a map of this table that answers ${address} or ${address} . inet_service`);
  }
  return second !== undefined;
}

const lowerPorts = (registers: Registers, port: PortTarget | undefined): { readonly port?: RegisterRange } =>
  port === undefined ? {} : { port: registers.putRange('inet_service', port) };

export function lowerMasquerade({ ports, flags }: Masquerade): Expression[] {
  const registers = new Registers();
  const port = lowerPorts(registers, ports);
  return [...registers.loads, { is: 'masq', ...port, flags: flagBits(flags) }];
}

export function lowerRedirect({ port: target, flags }: Redirect): Expression[] {
  const registers = new Registers();
  const port = lowerPorts(registers, target);
  return [...registers.loads, { is: 'redir', ...port, flags: flagBits(flags) }];
}

export function lowerProxy({ family, address, port }: TransparentProxy): Expression[] {
  const registers = new Registers();
  const target = {
    ...(address === undefined ? {} : { address: registers.put(addressType(family), address) }),
    ...(port === undefined ? {} : { port: registers.put('inet_service', port) }),
  };
  return [...registers.loads, { is: 'tproxy', family, ...target }];
}
