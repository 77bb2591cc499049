import type { Ipv6 } from '@berth/dhcp';
import type { Cancellable, Clock } from '@berth/service';

/** As often as RFC 4861 wants it, and as far apart. */
const solicitations = { count: 3, apartMs: 4000 } as const;

/** Asks the routers of a link to speak up, a few times, until one does. */
export class RouterSolicitor implements Disposable {
  readonly #clock: Clock;
  readonly #ask: (linkLocal: Ipv6) => void;
  #over = false;
  #next: Cancellable | undefined;

  /** `ask` must not throw. */
  constructor(clock: Clock, ask: (linkLocal: Ipv6) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  begin(linkLocal: Ipv6): void {
    this.#solicit(linkLocal, solicitations.count);
  }

  /** A router has spoken. */
  heard(): void {
    this.#over = true;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#next?.cancel();
  }

  #solicit(linkLocal: Ipv6, left: number): void {
    if (left === 0 || this.#over) return;
    this.#ask(linkLocal);
    this.#next = this.#clock.after(solicitations.apartMs, () => this.#solicit(linkLocal, left - 1));
  }
}
