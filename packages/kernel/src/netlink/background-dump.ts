import { errnoError, kernelErrors } from '../errors.ts';
import { expectSuccess, MSG_DONTWAIT, MSG_TRUNC } from '../sys/index.ts';
import { NLM_F_DUMP } from './constants.ts';
import { type DumpPage, readDumpPage } from './dump.ts';
import { MessageWriter } from './message-writer.ts';
import { type NetlinkOptions, openNetlink } from './open.ts';
import { type NetlinkRequest, writeRequest } from './request.ts';

const SEQUENCE = 1;
/** The kernel fills up to 32 KiB of what it may. */
const PAGE_BYTES = 64 * 1024;

/**
 * A dump that keeps the event loop free: the kernel collects each page on a thread of the pool, on a socket that exists
 * for this dump alone. For tables that are large or slow to walk (an empty conntrack table takes the kernel 10 ms).
 */
export async function* dumpInBackground(
  options: NetlinkOptions,
  request: NetlinkRequest,
): AsyncGenerator<DumpPage, void, undefined> {
  const { fd, sys } = openNetlink(options);
  try {
    const writer = new MessageWriter();
    writeRequest(writer, request, NLM_F_DUMP, SEQUENCE);
    // The kernel collects the first page within this call already.
    expectSuccess(await sys.sendInBackground(fd, writer.bytes, 0), () => request.what);
    const buffer = Buffer.allocUnsafeSlow(PAGE_BYTES);
    for (let last = false; !last; ) {
      const length = await sys.recvInBackground(fd, buffer, MSG_DONTWAIT | MSG_TRUNC);
      if (length < 0) throw errnoError(-length, request.what);
      if (length > buffer.length) {
        throw kernelErrors.error(
          'KERNEL_MESSAGE_TOO_LONG',
          `${request.what} failed: a page of ${length} bytes does not fit into ${buffer.length}`,
        );
      }
      const page = readDumpPage(Buffer.from(buffer.subarray(0, length)), SEQUENCE, request.what);
      last = page.last;
      yield page;
    }
  } finally {
    // Ends a dump that was left half-way, too.
    sys.close(fd);
  }
}
