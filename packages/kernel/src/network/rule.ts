/** Policy routing rules as values: which table is asked, for which packets, in which order. */
import { anyIpv4, anyIpv6, type Cidr, type IpFamily } from '../ip/index.ts';
import {
  Attributes,
  familyFromNumber,
  familyHeader,
  familyNumber,
  type MessageWriter,
  type NetlinkMessage,
  type NetlinkSocket,
  nameOf,
} from '../netlink/index.ts';
import { ipAttribute } from './ip-attribute.ts';
import { RTM_GETRULE } from './numbers.ts';

const HEADER_BYTES = 12;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_PROTOCOL = 21;
const FIB_RULE_INVERT = 0x2;

const actions = { table: 1, goto: 2, nothing: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

export interface Rule {
  readonly family: IpFamily;
  /** The lower one is asked first. */
  readonly priority: number;
  readonly action: keyof typeof actions | `${number}`;
  readonly table: number;
  readonly source: Cidr | undefined;
  readonly destination: Cidr | undefined;
  /** Names of links, which need not exist. */
  readonly inputLink: string | undefined;
  readonly outputLink: string | undefined;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  /** It applies to what does not match. */
  readonly inverted: boolean;
  readonly protocol: number | undefined;
}

export function readRule({ payload }: NetlinkMessage): Rule | undefined {
  const header = familyHeader(payload, HEADER_BYTES);
  const family = familyFromNumber(header.readUInt8(0));
  if (family === undefined) return undefined;
  const attributes = Attributes.after(payload, HEADER_BYTES);
  const prefix = (type: number, prefixLength: number): Cidr | undefined => {
    const address = ipAttribute(attributes, type);
    if (address === undefined && prefixLength === 0) return undefined;
    return { address: address ?? anyOf(family), prefixLength };
  };
  const mark = attributes.u32(FRA_FWMARK);
  return {
    family,
    priority: attributes.u32(FRA_PRIORITY) ?? 0,
    action: nameOf(actions, header.readUInt8(7)),
    table: attributes.u32(FRA_TABLE) ?? header.readUInt8(4),
    source: prefix(FRA_SRC, header.readUInt8(2)),
    destination: prefix(FRA_DST, header.readUInt8(1)),
    inputLink: attributes.string(FRA_IIFNAME),
    outputLink: attributes.string(FRA_OIFNAME),
    mark: mark === undefined ? undefined : { value: mark, mask: attributes.u32(FRA_FWMASK) ?? 0xffff_ffff },
    inverted: (header.readUInt32LE(8) & FIB_RULE_INVERT) !== 0,
    protocol: attributes.u8(FRA_PROTOCOL),
  };
}

const anyOf = (family: IpFamily) => (family === 4 ? anyIpv4 : anyIpv6);

function writeRuleQuestion(writer: MessageWriter, family: IpFamily | undefined): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(familyNumber(family), 0);
  writer.raw(header);
}

/** The rules of one namespace, in the order in which they are asked. */
export class Rules {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  list(family?: IpFamily): Rule[] {
    return this.#socket.dump(
      { type: RTM_GETRULE, body: (writer) => writeRuleQuestion(writer, family), what: 'listing rules' },
      readRule,
    );
  }
}
