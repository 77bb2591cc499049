import { errnoError, kernelErrors } from '../errors.ts';
import { expectSuccess, MSG_DONTWAIT, MSG_TRUNC } from '../sys/index.ts';
import { NLM_F_DUMP } from './constants.ts';
import { type DumpPage, readDumpPage } from './dump.ts';
import { MessageWriter } from './message-writer.ts';
import { type NetlinkOptions, type OpenedNetlink, openNetlink } from './open.ts';
import { type NetlinkRequest, writeRequest } from './request.ts';

/** The kernel fills up to 32 KiB of what it may. */
const PAGE_BYTES = 64 * 1024;

interface DumpSocket extends OpenedNetlink {
  readonly page: Buffer;
  sequence: number;
}

/**
 * Dumps that keep the event loop free: the kernel collects each page on a thread of the pool, on a socket that does nothing
 * else meanwhile. For tables that are large or slow to walk (an empty conntrack table takes the kernel 10 ms).
 *
 * One socket is kept for the next dump. Closing one of netfilter's makes the caller wait until the kernel has cleared up
 * after the last transaction of nftables: several milliseconds, and the event loop would be the one that waits.
 */
export class BackgroundDumps implements Disposable {
  readonly #options: NetlinkOptions;
  #spare: DumpSocket | undefined;
  #closed = false;

  constructor(options: NetlinkOptions) {
    this.#options = options;
  }

  async *pages(request: NetlinkRequest): AsyncGenerator<DumpPage, void, undefined> {
    const socket = this.#spare ?? this.#open();
    this.#spare = undefined;
    let complete = false;
    try {
      socket.sequence += 1;
      const writer = new MessageWriter();
      writeRequest(writer, request, NLM_F_DUMP, socket.sequence);
      // The kernel collects the first page within this call already.
      expectSuccess(await socket.sys.sendInBackground(socket.fd, writer.bytes, 0), () => request.what);
      while (!complete) {
        const page = await nextPage(socket, request.what);
        complete = page.last;
        yield page;
      }
    } finally {
      const keep = complete && this.#spare === undefined && !this.#closed;
      if (keep) this.#spare = socket;
      // Ends a dump that was left half-way, too.
      else socket.sys.close(socket.fd);
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    if (this.#spare !== undefined) this.#spare.sys.close(this.#spare.fd);
    this.#spare = undefined;
  }

  #open(): DumpSocket {
    return { ...openNetlink(this.#options), page: Buffer.allocUnsafeSlow(PAGE_BYTES), sequence: 0 };
  }
}

async function nextPage({ fd, sys, page, sequence }: DumpSocket, what: string): Promise<DumpPage> {
  const length = await sys.recvInBackground(fd, page, MSG_DONTWAIT | MSG_TRUNC);
  if (length < 0) throw errnoError(-length, what);
  if (length > page.length) {
    throw kernelErrors.error(
      'KERNEL_MESSAGE_TOO_LONG',
      `${what} failed: a page of ${length} bytes does not fit into ${page.length}`,
    );
  }
  return readDumpPage(Buffer.from(page.subarray(0, length)), sequence, what);
}
