import type { Ipv6, RouterAdvertisement } from '@berth/dhcp';

/** More routers than any link has. */
const mostRouters = 16;

/** What the routers of a link say about DHCP, taken together: one that wants it is enough. */
export class Routers {
  readonly #known = new Map<Ipv6, { readonly managed: boolean; readonly untilMs: number }>();

  /** Takes an advertisement in; answers what holds now, or nothing while no router says anything. */
  heard(source: Ipv6, { managed, lifetimeSeconds }: RouterAdvertisement, nowMs: number): boolean | undefined {
    for (const [router, { untilMs }] of this.#known) {
      if (untilMs < nowMs) this.#known.delete(router);
    }
    if (lifetimeSeconds === 0) this.#known.delete(source);
    else if (this.#known.size < mostRouters || this.#known.has(source)) {
      this.#known.set(source, { managed, untilMs: nowMs + lifetimeSeconds * 1000 });
    }
    const all = [...this.#known.values()];
    return all.length === 0 ? undefined : all.some((router) => router.managed);
  }
}
