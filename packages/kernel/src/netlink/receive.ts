import { constants } from 'node:os';
import { errnoError, kernelErrors } from '../errors.ts';
import { MSG_DONTWAIT, MSG_TRUNC } from '../sys/index.ts';
import type { OpenedNetlink } from './open.ts';

/** The kernel never builds a larger datagram by itself (dumps 32 KiB, a link with many functions some more). */
const INITIAL_BYTES = 64 * 1024;

const { EAGAIN, ENOBUFS } = constants.errno;

/** Reads datagrams off a netlink socket without ever waiting. */
export class Receiver {
  readonly #opened: OpenedNetlink;
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);

  constructor(opened: OpenedNetlink) {
    this.#opened = opened;
  }

  /** The next datagram, as a copy; `empty` if there is none, `lost` if the kernel dropped some (read on then). */
  next(): Buffer | 'empty' | 'lost' {
    const { fd, sys } = this.#opened;
    const length = sys.recv(fd, this.#buffer, MSG_DONTWAIT | MSG_TRUNC);
    if (length === -EAGAIN) return 'empty';
    if (length === -ENOBUFS) return 'lost';
    if (length < 0) throw errnoError(-length, 'reading a netlink socket');
    if (length > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(length);
      return 'lost';
    }
    return Buffer.from(this.#buffer.subarray(0, length));
  }

  /** Throws away what waits; bounded, since a busy kernel may add as fast as we read. */
  discard(atMost = 100_000): void {
    for (let count = 0; count < atMost && this.next() !== 'empty'; count += 1);
  }
}

export function overrun(what: string): Error {
  return kernelErrors.error('KERNEL_OVERRUN', `${what} failed: the kernel dropped answers (ENOBUFS)`, {
    details: { errno: 'ENOBUFS' },
  });
}
