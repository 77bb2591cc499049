/** An address with the length of its prefix: a network, or a host's place in one. */
import { kernelErrors } from '../errors.ts';
import {
  anyIpv4,
  anyIpv6,
  bitsOf,
  familyOf,
  type IpAddress,
  type IpFamily,
  ipBytes,
  ipFromBytes,
  parseIpOrNothing,
} from './address.ts';

export interface Cidr {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** Everything of a family: the destination of a default route. */
export function everything(family: IpFamily): Cidr {
  return { address: family === 4 ? anyIpv4 : anyIpv6, prefixLength: 0 };
}

export function isEverything(cidr: Cidr): boolean {
  return cidr.prefixLength === 0;
}

/** `10.0.0.0/24`; an address alone stands for itself (`/32`, `/128`). Bits behind the prefix are kept. */
export function parseCidr(text: string): Cidr {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseIpOrNothing(addressText);
  const bits = address === undefined ? 0 : bitsOf(familyOf(address));
  const prefixLength = lengthText === undefined ? bits : Number(lengthText);
  const lengthFits = lengthText === undefined || /^(?:0|[1-9]\d{0,2})$/.test(lengthText);
  if (address === undefined || !lengthFits || prefixLength > bits || rest.length > 0) {
    throw kernelErrors.error(
      'KERNEL_BAD_VALUE',
      `${JSON.stringify(text)} is not an address with a prefix length`,
      {
        details: { value: text },
      },
    );
  }
  return { address, prefixLength };
}

export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${address}/${prefixLength}`;
}

/** The network that it lies in: the bits behind the prefix cleared. */
export function networkOf({ address, prefixLength }: Cidr): Cidr {
  const bytes = ipBytes(address).map((byte, index) => byte & maskByte(prefixLength, index));
  return { address: ipFromBytes(bytes), prefixLength };
}

/** Does the address lie in that network? Never across families. */
export function contains(cidr: Cidr, address: IpAddress): boolean {
  if (familyOf(cidr.address) !== familyOf(address)) return false;
  return networkOf({ address, prefixLength: cidr.prefixLength }).address === networkOf(cidr).address;
}

function maskByte(prefixLength: number, index: number): number {
  const bits = Math.min(Math.max(prefixLength - 8 * index, 0), 8);
  return (0xff00 >> bits) & 0xff;
}
