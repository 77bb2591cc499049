import { messages, type NetlinkMessage } from './message-reader.ts';
import { type NetlinkOptions, type OpenedNetlink, openNetlink } from './open.ts';
import { Receiver } from './receive.ts';

export interface NetlinkEvents {
  event(message: NetlinkMessage): void;
  /** Events were lost, and those that waited were thrown away: read the present state now. */
  overrun(): void;
  /** The listening ended, because reading failed or because one of the functions above threw. */
  failed(error: unknown): void;
}

/** How many datagrams are read before others get their turn; the event loop calls again for the rest. */
const DATAGRAMS_A_TURN = 64;

/** Hears what the kernel tells multicast groups. Costs nothing while there is nothing to hear. */
export class NetlinkListener implements Disposable {
  readonly #opened: OpenedNetlink;
  readonly #receiver: Receiver;
  readonly #events: NetlinkEvents;
  readonly #watch: Disposable;
  #closed = false;

  private constructor(opened: OpenedNetlink, events: NetlinkEvents) {
    this.#opened = opened;
    this.#receiver = new Receiver(opened);
    this.#events = events;
    this.#watch = opened.sys.onReadable(opened.fd, () => this.#drain());
  }

  /** From here on no event is missed unannounced: open first, then read the present state. */
  static open(
    options: NetlinkOptions & { readonly groups: readonly number[] },
    events: NetlinkEvents,
  ): NetlinkListener {
    const opened = openNetlink(options, options.groups);
    try {
      return new NetlinkListener(opened, events);
    } catch (error) {
      opened.sys.close(opened.fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    this.#opened.sys.close(this.#opened.fd);
  }

  #drain(): void {
    try {
      for (let count = 0; count < DATAGRAMS_A_TURN && !this.#closed; count += 1) {
        const datagram = this.#receiver.next();
        if (datagram === 'empty') return;
        if (datagram === 'lost') {
          // The kernel drops everything until the queue is empty, so what still waits is older than the gap.
          this.#receiver.discard();
          this.#events.overrun();
          return;
        }
        for (const message of messages(datagram)) {
          if (this.#closed) return;
          this.#events.event(message);
        }
      }
    } catch (error) {
      // A descriptor that cannot be read would wake the loop for ever.
      this[Symbol.dispose]();
      this.#events.failed(error);
    }
  }
}
