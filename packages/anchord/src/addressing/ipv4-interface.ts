import type { Address4 } from '@berth/dhcp';
import { type Ipv4, ipBytes, ipFromBytes, parseIpv4 } from '@berth/kernel/ip';
import type { AddressIdentity, InterfaceAddress, Network, NewInterfaceAddress } from '@berth/kernel/network';

/** The IPv4 addresses of one interface, changed so that a connection over an address that stays never notices. */
export class Ipv4Interface {
  readonly #network: Network;
  readonly #link: number;

  constructor(network: Network, link: number) {
    this.#network = network;
    this.#link = link;
  }

  list(): readonly InterfaceAddress[] {
    return this.#network.addresses.list({ link: this.#link, family: 4 });
  }

  has(address: Address4): boolean {
    return this.list().some((present) => isSame(present, address));
  }

  /** Adds it, or only gives the one that is there another lifetime. */
  put(address: Address4, validSeconds: number): void {
    this.#network.addresses.replace(this.#owned(address, validSeconds));
  }

  /** Takes every other address away. `keep` is there all the time, also where the kernel drops it with its primary. */
  keepOnly(keep: Address4, validSeconds: number): void {
    for (const other of this.list()) {
      if (!isSame(other, keep))
        this.#network.addresses.exchange(identityOf(other), this.#owned(keep, validSeconds));
    }
  }

  /** Takes one address away. The kernel drops secondary addresses with their primary: those come back at once. */
  remove(address: Address4): void {
    const present = this.list();
    const old = present.find((each) => isSame(each, address));
    if (old === undefined) return;
    const [survivor, ...more] = present.filter((each) => each.secondary && !isSame(each, address));
    if (survivor === undefined || old.secondary) this.#network.addresses.delete(identityOf(old));
    else this.#network.addresses.exchange(identityOf(old), again(survivor));
    for (const each of more) this.#network.addresses.replace(again(each));
  }

  #owned({ address, prefixLength }: Address4, validSeconds: number): NewInterfaceAddress {
    const own = parseIpv4(address);
    const broadcast = broadcastOf(own, prefixLength);
    return {
      link: this.#link,
      address: own,
      prefixLength,
      validSeconds,
      ...(broadcast === undefined ? {} : { broadcast }),
    };
  }
}

const isSame = (
  left: { readonly address: string; readonly prefixLength: number },
  right: Address4,
): boolean => left.address === right.address && left.prefixLength === right.prefixLength;

const identityOf = ({ link, address, prefixLength, peer }: InterfaceAddress): AddressIdentity => ({
  link,
  address,
  prefixLength,
  ...(peer === undefined ? {} : { peer }),
});

/** The same address once more, as it was. */
function again({
  link,
  address,
  prefixLength,
  broadcast,
  label,
  validSeconds,
}: InterfaceAddress): NewInterfaceAddress {
  return {
    link,
    address,
    prefixLength,
    validSeconds,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined ? {} : { label }),
  };
}

/** Networks of one or two addresses have none. */
function broadcastOf(address: Ipv4, prefixLength: number): Ipv4 | undefined {
  if (prefixLength > 30) return undefined;
  const bytes = ipBytes(address).map((byte, index) => {
    const hostBits = Math.min(Math.max(8 * (index + 1) - prefixLength, 0), 8);
    return byte | (0xff >> (8 - hostBits));
  });
  return ipFromBytes(bytes) as Ipv4;
}
