import { kernelErrors } from '../errors.ts';
import { expectSuccess } from '../sys/index.ts';
import { type Refusal, readAcknowledgement, refusalError } from './acknowledgement.ts';
import { NLM_F_ACK, NLM_F_DUMP, NLMSG_ERROR } from './constants.ts';
import { type DumpPage, readDumpPage } from './dump.ts';
import { messages, type NetlinkMessage } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';
import { type NetlinkOptions, type OpenedNetlink, openNetlink } from './open.ts';
import { overrun, Receiver } from './receive.ts';
import { type NetlinkRequest, writeRequest } from './request.ts';

/** What came back for a batch. */
export interface BatchAnswer {
  /** The requests that were refused, in the order of the answers. */
  readonly refusals: readonly Refusal[];
  /** The sequence numbers of the requests that were acknowledged. Do not count on it for every one: see `batch`. */
  readonly acknowledged: readonly number[];
  /** Answers that are no acknowledgements (NLM_F_ECHO). */
  readonly messages: readonly NetlinkMessage[];
}

/** A dump that others change while it is read is read again, but not for ever. */
const DUMP_ATTEMPTS = 20;

/**
 * A socket to ask and to tell the kernel. Everything is synchronous: the kernel does the work within `send`, so the
 * answer waits already when that returns. For events see `NetlinkListener`.
 */
export class NetlinkSocket implements Disposable {
  /** Our name in events about changes that we made. */
  readonly portId: number;
  readonly #opened: OpenedNetlink;
  readonly #receiver: Receiver;
  readonly #writer = new MessageWriter();
  #sequence = 0;
  #closed = false;

  private constructor(opened: OpenedNetlink) {
    this.#opened = opened;
    this.portId = opened.portId;
    this.#receiver = new Receiver(opened);
  }

  static open(options: NetlinkOptions): NetlinkSocket {
    return new NetlinkSocket(openNetlink(options));
  }

  /** A number that no earlier request on this socket had. */
  nextSequence(): number {
    this.#sequence = this.#sequence === 0xffff_ffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  /** Asks one thing and waits for its acknowledgement; answers what came before that. Throws if it was refused. */
  ask(request: NetlinkRequest): NetlinkMessage[] {
    const sequence = this.#send(request, NLM_F_ACK);
    return this.#leavingNothing(() => {
      const answers: NetlinkMessage[] = [];
      for (;;) {
        for (const message of messages(this.#expectDatagram(request.what))) {
          if (message.sequence !== sequence) continue;
          if (message.type === NLMSG_ERROR) {
            const refusal = readAcknowledgement(message);
            if (refusal !== undefined) throw refusalError(refusal, request.what);
            return answers;
          }
          answers.push(message);
        }
      }
    });
  }

  /** Asks for a list. What changed while it was read is read again, so the list is of one moment. */
  dump<T>(request: NetlinkRequest, read: (message: NetlinkMessage) => T | undefined): T[] {
    for (let attempt = 1; attempt <= DUMP_ATTEMPTS; attempt += 1) {
      const rows: T[] = [];
      let interrupted = false;
      for (const page of this.dumpPages(request)) {
        interrupted ||= page.interrupted;
        for (const message of page.messages) {
          const row = read(message);
          if (row !== undefined) rows.push(row);
        }
      }
      if (!interrupted) return rows;
    }
    throw kernelErrors.error(
      'KERNEL_STALE',
      `${request.what} failed: it changed during each of ${DUMP_ATTEMPTS} attempts to read it`,
    );
  }

  /** A dump in the kernel's own portions (up to 32 KiB). Nothing else may be asked on this socket until its end. */
  *dumpPages(request: NetlinkRequest): Generator<DumpPage, void, undefined> {
    const sequence = this.#send(request, NLM_F_DUMP);
    let done = false;
    try {
      while (!done) {
        const page = readDumpPage(this.#expectDatagram(request.what), sequence, request.what);
        done = page.last;
        yield page;
      }
    } finally {
      // A dump that is left half-way keeps the socket busy: reading it to its end is the only way to end it.
      if (!done && !this.#closed) this.#receiver.discard();
    }
  }

  /**
   * Sends many requests in one piece, as they stand in `writer` (with sequence numbers from `nextSequence`), and takes
   * in every answer there is. Kernels differ in which parts of a batch they acknowledge, so it never counts: put
   * NLM_F_ACK on the request whose success matters and look for its number.
   */
  batch(writer: MessageWriter, what: string): BatchAnswer {
    // An empty datagram is an error to the kernel.
    if (writer.length > 0) this.#sendBytes(writer.bytes, what);
    return this.#leavingNothing(() => this.#readBatchAnswer(what));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opened.sys.close(this.#opened.fd);
  }

  #readBatchAnswer(what: string): BatchAnswer {
    const refusals: Refusal[] = [];
    const acknowledged: number[] = [];
    const others: NetlinkMessage[] = [];
    let lost = false;
    for (let datagram = this.#receiver.next(); datagram !== 'empty'; datagram = this.#receiver.next()) {
      if (datagram === 'lost') {
        lost = true;
        continue;
      }
      for (const message of messages(datagram)) {
        if (message.type !== NLMSG_ERROR) {
          others.push(message);
          continue;
        }
        const refusal = readAcknowledgement(message);
        if (refusal === undefined) acknowledged.push(message.sequence);
        else refusals.push(refusal);
      }
    }
    if (lost) throw overrun(what);
    return { refusals, acknowledged, messages: others };
  }

  /** Reads an answer; if that fails, the rest of it is thrown away, so that the next request does not meet it. */
  #leavingNothing<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#receiver.discard();
      throw error;
    }
  }

  #send(request: NetlinkRequest, flags: number): number {
    const sequence = this.nextSequence();
    writeRequest(this.#writer, request, flags, sequence);
    this.#sendBytes(this.#writer.bytes, request.what);
    return sequence;
  }

  #sendBytes(bytes: Uint8Array, what: string): void {
    if (this.#closed)
      throw kernelErrors.error('KERNEL_CLOSED', `${what} failed: its netlink socket is closed`);
    const { fd, sys } = this.#opened;
    expectSuccess(sys.send(fd, bytes, 0), () => what);
  }

  #expectDatagram(what: string): Buffer {
    if (this.#closed)
      throw kernelErrors.error('KERNEL_CLOSED', `${what} failed: its netlink socket is closed`);
    const datagram = this.#receiver.next();
    if (datagram === 'lost') throw overrun(what);
    if (datagram !== 'empty') return datagram;
    throw kernelErrors.error('KERNEL_NO_ANSWER', `${what} failed: the kernel did not answer`);
  }
}
