/** A list that the kernel answers in portions. */
import { readAcknowledgement, refusalError } from './acknowledgement.ts';
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN } from './constants.ts';
import { messages, type NetlinkMessage } from './message-reader.ts';
import { overrun } from './receive.ts';

export interface DumpPage {
  readonly messages: readonly NetlinkMessage[];
  /** It changed while it was read: something may be in it twice or not at all. */
  readonly interrupted: boolean;
  readonly last: boolean;
}

/** Reads one datagram of the answer to request `sequence`; throws if the kernel refuses to go on. */
export function readDumpPage(datagram: Buffer, sequence: number, what: string): DumpPage {
  const rows: NetlinkMessage[] = [];
  let interrupted = false;
  let last = false;
  for (const message of messages(datagram)) {
    if (message.sequence !== sequence || message.type === NLMSG_NOOP) continue;
    interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
    if (message.type === NLMSG_OVERRUN) throw overrun(what);
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      last = true;
      const refusal = readAcknowledgement(message);
      if (refusal !== undefined) throw refusalError(refusal, what);
    } else {
      rows.push(message);
    }
  }
  return { messages: rows, interrupted, last };
}
