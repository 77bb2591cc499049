/**
 * What is true in a simulated world, and whether the kernel's map could be justified by it at each moment: a container that
 * lives and has a port never loses it, and one that is gone, once taken out, does not come back.
 */
import type { ObservedContainer } from '../../discovery/container.ts';

interface Claim {
  readonly port: number;
  alive: boolean;
  /** It was in the map, and is not any more. */
  left: boolean;
}

export class Truth {
  /** By address, each of which exists once. */
  readonly #claims = new Map<string, Claim[]>();
  #map: ReadonlyMap<number, string> = new Map();

  started(one: ObservedContainer, ...ports: readonly number[]): void {
    this.#claims.set(
      addressOf(one),
      ports.map((port) => ({ port, alive: true, left: false })),
    );
  }

  ended(one: ObservedContainer): void {
    for (const claim of this.#claims.get(addressOf(one)) ?? []) claim.alive = false;
  }

  /** The map was emptied by somebody else, or by a fresh start: whatever comes next is as new. */
  forget(): void {
    this.#map = new Map();
    for (const claim of [...this.#claims.values()].flat()) claim.left = false;
  }

  /** The map is like this now. */
  see(map: ReadonlyMap<number, string>): void {
    for (const [port, address] of this.#map) {
      if (map.get(port) === address) continue;
      const claim = this.#claim(port, address);
      if (claim.alive) throw new Error(`port ${port} was taken from ${address}, which lives`);
      claim.left = true;
    }
    for (const [port, address] of map) {
      if (this.#map.get(port) === address) continue;
      if (this.#claim(port, address).left)
        throw new Error(`port ${port} leads to ${address} again, which is gone`);
    }
    this.#map = map;
  }

  /** Nothing is on its way any more: the map has exactly what lives. */
  expectExact(map: ReadonlyMap<number, string>, when: string): void {
    const alive = new Map<number, string[]>();
    for (const [address, claims] of this.#claims) {
      for (const { port } of claims.filter((claim) => claim.alive)) {
        alive.set(port, [...(alive.get(port) ?? []), address]);
      }
    }
    for (const [port, addresses] of alive) {
      if (!addresses.includes(map.get(port) ?? '')) {
        throw new Error(
          `${when}: port ${port} leads to ${map.get(port)}, and not to ${addresses.join(' or ')}`,
        );
      }
    }
    for (const [port, address] of map) {
      if (!alive.has(port)) throw new Error(`${when}: port ${port} leads to ${address}, and nobody has it`);
    }
  }

  #claim(port: number, address: string): Claim {
    const claim = this.#claims.get(address)?.find((one) => one.port === port);
    if (claim === undefined) throw new Error(`port ${port} leads to ${address}, which never had it`);
    return claim;
  }
}

const addressOf = (one: ObservedContainer): string => one.attachments['transit']?.ipv4 ?? '';
