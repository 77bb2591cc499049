import { kernelErrors } from '../errors.ts';
import { bitsOf, type Cidr, familyOf, formatCidr, networkOf } from '../ip/index.ts';
import {
  MessageWriter,
  type NetlinkRequest,
  type NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  refusalError,
} from '../netlink/index.ts';
import { removeIfPresent, unlessAbsent } from './absence.ts';
import {
  type AddressFilter,
  type AddressIdentity,
  asNewAddress,
  type InterfaceAddress,
  type NewInterfaceAddress,
  readAddress,
  writeAddressQuestion,
  writeAddressRemoval,
  writeNewAddress,
} from './interface-address.ts';
import { RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from './numbers.ts';

/** The IP addresses of the links of one namespace. */
export class Addresses {
  readonly #socket: NetlinkSocket;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  list(filter: AddressFilter = {}): InterfaceAddress[] {
    const request: NetlinkRequest = {
      type: RTM_GETADDR,
      body: (writer) => writeAddressQuestion(writer, filter),
      what: 'listing addresses',
    };
    return unlessAbsent(() => this.#socket.dump(request, readAddress), [], ['ENODEV']).filter(
      // Kernels before 4.20 ignore the filter.
      ({ link, address }) =>
        (filter.link === undefined || link === filter.link) &&
        (filter.family === undefined || familyOf(address) === filter.family),
    );
  }

  /** Throws KERNEL_EXISTS if the link has it already. */
  add(address: NewInterfaceAddress): void {
    this.#write(address, NLM_F_CREATE | NLM_F_EXCL, 'adding');
  }

  /** Adds it, or gives the one that is there new lifetimes. `preferredSeconds: 0` deprecates it. */
  replace(address: NewInterfaceAddress): void {
    this.#write(address, NLM_F_CREATE | NLM_F_REPLACE, 'replacing');
  }

  /** Removes it; says whether it was there. */
  delete(address: AddressIdentity): boolean {
    const request: NetlinkRequest = {
      type: RTM_DELADDR,
      body: (writer) => writeAddressRemoval(writer, address),
      what: `deleting address ${describe(address)}`,
    };
    return removeIfPresent(() => this.#socket.ask(request), ['EADDRNOTAVAIL', 'ENODEV']);
  }

  /**
   * Puts one address in the place of another on the same link. The link has the new one before it loses the old one, and
   * is never without any: the kernel would then drop every route through it.
   */
  exchange(old: AddressIdentity, wanted: NewInterfaceAddress): void {
    if (old.address === wanted.address && old.prefixLength === wanted.prefixLength) {
      this.replace(wanted);
    } else if (shareSubnet(old, wanted)) {
      this.#exchangeWithinSubnet(old, wanted);
    } else {
      this.replace(wanted);
      this.delete(old);
    }
  }

  /**
   * IPv4 in one subnet: the newcomer would be a secondary address of the old one, and the kernel removes those together
   * with their primary (unless a sysctl says otherwise, which containers cannot write). So the newcomer comes as a host
   * address first, which belongs to no subnet, and gets its prefix once the old one is gone: one call, microseconds, and
   * local sockets never see the newcomer missing. Secondary addresses that others gave the link are put back.
   */
  #exchangeWithinSubnet(old: AddressIdentity, wanted: NewInterfaceAddress): void {
    const what = `exchanging address ${describe(old)} for ${formatCidr(wanted)}`;
    const bystanders = this.list({ link: old.link, family: 4 }).filter(
      (one) =>
        one.secondary &&
        shareSubnet(one, old) &&
        one.address !== old.address &&
        one.address !== wanted.address,
    );
    const bridge: NewInterfaceAddress = {
      link: wanted.link,
      address: wanted.address,
      prefixLength: bitsOf(familyOf(wanted.address)),
      noPrefixRoute: true,
    };
    this.replace(bridge);
    const writer = new MessageWriter();
    const step = (type: number, flags: number, body: (writer: MessageWriter) => void): number => {
      const sequence = this.#socket.nextSequence();
      writer.message(type, NLM_F_REQUEST | NLM_F_ACK | flags, sequence, body);
      return sequence;
    };
    const removal = step(RTM_DELADDR, 0, (w) => writeAddressRemoval(w, old));
    for (const address of [wanted, ...bystanders.map(asNewAddress)])
      step(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, (w) => writeNewAddress(w, address));
    step(RTM_DELADDR, 0, (w) => writeAddressRemoval(w, bridge));
    // That the old one was gone already is what was wanted.
    const refusal = this.#socket.batch(writer, what).refusals.find(({ sequence }) => sequence !== removal);
    if (refusal !== undefined) throw refusalError(refusal, what);
    const present = this.list({ link: wanted.link }).some(
      ({ address, prefixLength }) => address === wanted.address && prefixLength === wanted.prefixLength,
    );
    if (!present) {
      throw kernelErrors.error('KERNEL_STALE', `${what} failed: somebody removed the new one meanwhile`);
    }
  }

  #write(address: NewInterfaceAddress, flags: number, verb: string): void {
    this.#socket.ask({
      type: RTM_NEWADDR,
      flags,
      body: (writer) => writeNewAddress(writer, address),
      what: `${verb} address ${describe(address)}`,
    });
  }
}

const describe = (address: AddressIdentity): string => `${formatCidr(address)} on link ${address.link}`;

function shareSubnet(
  one: Cidr & { readonly link: number },
  other: Cidr & { readonly link: number },
): boolean {
  return (
    familyOf(one.address) === 4 &&
    one.link === other.link &&
    one.prefixLength === other.prefixLength &&
    one.prefixLength < 32 &&
    networkOf(one).address === networkOf(other).address
  );
}
