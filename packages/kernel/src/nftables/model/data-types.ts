/**
 * The types of what sets hold and matches compare: how wide a value is, how it lies in a register and how it reads. A new
 * type is a new row.
 */
import { kernelErrors } from '../../errors.ts';
import { readIpv4, readIpv6, writeIpv4, writeIpv6 } from '../../ip/index.ts';
import {
  addressTypes,
  connectionStates,
  connectionStatus,
  directions,
  icmpTypes,
  icmpv6Types,
  networkProtocols,
  packetTypes,
  protocols,
  symbols,
} from './symbols.ts';

/** One value: an address, an interface or a symbol as text, a port, mark or nameless symbol as a number. */
export type Scalar = string | number;

type Named<Names> = keyof Names | (number & {});

/** What a value of each type is in TypeScript. */
export interface ScalarOf {
  readonly ipv4_addr: string;
  readonly ipv6_addr: string;
  readonly inet_service: number;
  readonly inet_proto: Named<typeof protocols>;
  readonly ifname: string;
  readonly mark: number;
  readonly nf_proto: Named<typeof networkProtocols>;
  readonly ct_state: Named<typeof connectionStates>;
  readonly ct_status: Named<typeof connectionStatus>;
  readonly ct_dir: Named<typeof directions>;
  readonly fib_addrtype: Named<typeof addressTypes>;
  readonly pkt_type: Named<typeof packetTypes>;
  readonly icmp_type: Named<typeof icmpTypes>;
  readonly icmpv6_type: Named<typeof icmpv6Types>;
}

export type DataType = keyof ScalarOf;

export interface DataTypeRow {
  /** The number that `nft` gives this type. The kernel keeps it for whoever lists the set. */
  readonly number: number;
  readonly bytes: number;
  /** Compared and loaded in the byte order of this machine: ranges of it have no meaning to the kernel. */
  readonly hostOrder: boolean;
  /** Several bits may be set at once; a match then asks for bits, not for a value. */
  readonly bits: boolean;
  readonly addressBits?: 32 | 128;
  /** There is one way to write a value. */
  readonly oneSpelling: boolean;
  /** Writes the value; throws KERNEL_BAD_VALUE when it is none of this type. */
  write(value: Scalar, into: Buffer, at: number): void;
  read(from: Buffer, at: number): Scalar;
  text(value: Scalar): string;
}

const plainText = (value: Scalar): string => String(value);

function address(
  number: number,
  addressBits: 32 | 128,
  write: (text: string, into: Buffer, at: number) => boolean,
  read: (from: Buffer, at: number) => string,
): DataTypeRow {
  const family = addressBits === 32 ? 'an IPv4' : 'an IPv6';
  return {
    number,
    bytes: addressBits / 8,
    hostOrder: false,
    bits: false,
    addressBits,
    oneSpelling: addressBits === 32,
    write(value, into, at) {
      if (typeof value !== 'string' || !write(value, into, at)) throw badValue(value, `${family} address`);
    },
    read,
    text: plainText,
  };
}

interface IntegerOptions {
  readonly hostOrder?: boolean;
  readonly bits?: boolean;
  readonly names?: Readonly<Record<string, number>>;
  readonly text?: (value: Scalar) => string;
}

function integer(number: number, bytes: 1 | 2 | 4, what: string, options: IntegerOptions = {}): DataTypeRow {
  const { hostOrder = false, bits = false, names = {}, text = plainText } = options;
  const known = symbols(names);
  const most = 2 ** (8 * bytes) - 1;
  return {
    number,
    bytes,
    hostOrder,
    bits,
    oneSpelling: Object.keys(names).length === 0,
    write(value, into, at) {
      const found = typeof value === 'string' ? known.numberOf(value) : value;
      if (found === undefined || !Number.isInteger(found) || found < 0 || found > most) {
        throw badValue(value, what);
      }
      if (hostOrder) into.writeUIntLE(found, at, bytes);
      else into.writeUIntBE(found, at, bytes);
    },
    read(from, at) {
      const value = hostOrder ? from.readUIntLE(at, bytes) : from.readUIntBE(at, bytes);
      return known.nameOf(value) ?? value;
    },
    text,
  };
}

const INTERFACE_NAME_BYTES = 16;

const interfaceName: DataTypeRow = {
  number: 41,
  bytes: INTERFACE_NAME_BYTES,
  hostOrder: true,
  bits: false,
  oneSpelling: true,
  write(value, into, at) {
    const length = typeof value === 'string' ? Buffer.byteLength(value) : 0;
    if (
      typeof value !== 'string' ||
      length === 0 ||
      length >= INTERFACE_NAME_BYTES ||
      /[\s/:\0"]/.test(value)
    ) {
      throw badValue(value, 'the name of an interface (1 to 15 bytes, no space, slash, colon or quote)');
    }
    into.fill(0, at, at + INTERFACE_NAME_BYTES);
    into.write(value, at);
  },
  read(from, at) {
    const nul = from.indexOf(0, at);
    const end = nul < 0 ? at + INTERFACE_NAME_BYTES : Math.min(nul, at + INTERFACE_NAME_BYTES);
    return from.toString('utf8', at, end);
  },
  text: (value) => `"${value}"`,
};

const hexadecimal = (value: Scalar): string => `0x${Number(value).toString(16).padStart(8, '0')}`;

export const dataTypes: Readonly<Record<DataType, DataTypeRow>> = {
  ipv4_addr: address(7, 32, writeIpv4, readIpv4),
  ipv6_addr: address(8, 128, writeIpv6, readIpv6),
  inet_service: integer(13, 2, 'a port'),
  inet_proto: integer(12, 1, 'a transport protocol', { names: protocols }),
  ifname: interfaceName,
  mark: integer(19, 4, 'a mark', { hostOrder: true, text: hexadecimal }),
  nf_proto: integer(2, 1, 'a network protocol', { names: networkProtocols }),
  ct_state: integer(26, 4, 'a connection state', { hostOrder: true, bits: true, names: connectionStates }),
  ct_status: integer(28, 4, 'a connection status', { hostOrder: true, bits: true, names: connectionStatus }),
  ct_dir: integer(27, 1, 'a direction', { names: directions }),
  fib_addrtype: integer(38, 4, 'an address type', { hostOrder: true, names: addressTypes }),
  pkt_type: integer(31, 1, 'a packet type', { names: packetTypes }),
  icmp_type: integer(14, 1, 'an ICMP type', { names: icmpTypes }),
  icmpv6_type: integer(29, 1, 'an ICMPv6 type', { names: icmpv6Types }),
};

/** Ranges mean something to the kernel only where values lie in the order of their bytes. */
export const hasRanges = (type: DataType): boolean => type === 'ifname' || !dataTypes[type].hostOrder;

const byNumber: ReadonlyMap<number, DataType> = new Map(
  Object.entries(dataTypes).map(([name, row]) => [row.number, name as DataType]),
);

/** Six bits a type: a concatenation is one number, too. */
const BITS_PER_TYPE = 6;

export function typeNumber(types: readonly DataType[]): number {
  return types.reduce((number, type) => (number << BITS_PER_TYPE) | dataTypes[type].number, 0);
}

/** The types behind such a number; `undefined` when one of them is not in our table. */
export function typesOf(number: number): readonly DataType[] | undefined {
  const types: DataType[] = [];
  for (let rest = number; rest > 0; rest >>>= BITS_PER_TYPE) {
    const type = byNumber.get(rest & ((1 << BITS_PER_TYPE) - 1));
    if (type === undefined) return undefined;
    types.unshift(type);
  }
  return types.length === 0 ? undefined : types;
}

export function badValue(value: unknown, wanted: string): Error {
  return kernelErrors.error('KERNEL_BAD_VALUE', `${JSON.stringify(value)} is not ${wanted}`);
}
