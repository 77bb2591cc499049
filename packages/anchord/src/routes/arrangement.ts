/**
 * Keeps us out of the way of somebody who arranges interfaces. Engine 20.10 that attaches a running container to a network adds the
 * interface, takes the default route away and sets its own last; one of ours that is there by then makes it give up half-way,
 * with an interface of which it knows nothing. The same when it detaches one.
 */
import type { Link, NetworkEvent } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import { pause } from '../wakeup.ts';

/** How long an interface that has come or gone is left to whoever did that. */
const arrangingMs = 500;

export interface ArrangementOptions {
  readonly clock: Clock;
  /** An interface of our own making. */
  readonly isOurs?: (link: Link) => boolean;
}

export class Arrangement {
  readonly #clock: Clock;
  readonly #isOurs: (link: Link) => boolean;
  /** Undefined before the first snapshot: what is there by then was arranged before us. */
  #known: Set<number> | undefined;
  #endsAtMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, isOurs = () => false }: ArrangementOptions) {
    this.#clock = clock;
    this.#isOurs = isOurs;
  }

  /** Everything that a watch over links tells. A link that merely changes its state is arranged by nobody. */
  hear(event: NetworkEvent): void {
    if (event.kind === 'resync') this.#take(event.snapshot.links);
    else if (event.kind === 'link' && this.#isNews(event)) this.#begin([event.value]);
  }

  /** Until nobody is at work any more, as far as one can tell. */
  async over(signal: AbortSignal): Promise<void> {
    const leftMs = this.#endsAtMs - this.#clock.monotonic();
    if (leftMs > 0) await pause(this.#clock, leftMs, signal);
  }

  #take(links: readonly Link[]): void {
    const known = this.#known;
    const come = links.filter(({ index }) => known !== undefined && !known.has(index));
    const present = new Set(links.map(({ index }) => index));
    const anyGone = known !== undefined && !known.isSubsetOf(present);
    this.#known = present;
    if (anyGone) this.#hold();
    else this.#begin(come);
  }

  #isNews({ change, value: { index } }: Extract<NetworkEvent, { kind: 'link' }>): boolean {
    const known = this.#known?.has(index) === true;
    if (change === 'gone') this.#known?.delete(index);
    else this.#known?.add(index);
    return known === (change === 'gone');
  }

  #begin(links: readonly Link[]): void {
    if (links.some((link) => !this.#isOurs(link))) this.#hold();
  }

  #hold(): void {
    this.#endsAtMs = this.#clock.monotonic() + arrangingMs;
  }
}
