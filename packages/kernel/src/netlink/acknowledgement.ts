/** What the kernel answers to a request: done, or an errno with its reason in words and the place that it dislikes. */
import { errnoError, type KernelError } from '../errors.ts';
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE } from './constants.ts';
import { Attributes, malformed, type NetlinkMessage } from './message-reader.ts';

const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;
const HEADER_BYTES = 16;

/** A request that the kernel refused. */
export interface Refusal {
  readonly errno: number;
  /** The sequence number of the request. */
  readonly sequence: number;
  /** The reason in words, where this kernel gives one. */
  readonly words?: string;
  /** The byte of the request, counted from its header, that the kernel points at. */
  readonly offset?: number;
}

/** Reads an NLMSG_ERROR or NLMSG_DONE; `undefined` means success. */
export function readAcknowledgement(message: NetlinkMessage): Refusal | undefined {
  const { payload } = message;
  const done = message.type === NLMSG_DONE;
  // Old families end a dump with a DONE without a body.
  if (done && payload.length < 4) return undefined;
  if (payload.length < 4) throw malformed(`an acknowledgement has only ${payload.length} bytes`);
  const errno = -payload.readInt32LE(0);
  if (errno < 0 && !done) throw malformed(`an acknowledgement carries the errno ${errno}`);
  if (errno <= 0) return undefined;
  return {
    errno,
    sequence: message.sequence,
    ...((message.flags & NLM_F_ACK_TLVS) === 0 ? {} : readReason(payload, done, message.flags)),
  };
}

/** The kernel's words stand behind the request that it quotes: its header only, or all of it. */
function readReason(payload: Buffer, done: boolean, flags: number): { words?: string; offset?: number } {
  let start = 4;
  if (!done) {
    if (payload.length < 4 + HEADER_BYTES) throw malformed('an error quotes no request');
    const quoted = (flags & NLM_F_CAPPED) === 0 ? payload.readUInt32LE(4) : HEADER_BYTES;
    if (quoted > payload.length - 4)
      throw malformed('an error quotes more of the request than it has room for');
    start = 4 + ((quoted + 3) & ~3);
  }
  const reason = new Attributes(payload.subarray(start));
  const words = reason.string(NLMSGERR_ATTR_MSG);
  const offset = reason.u32(NLMSGERR_ATTR_OFFS);
  return { ...(words === undefined ? {} : { words }), ...(offset === undefined ? {} : { offset }) };
}

/** A refusal as an error of ours; `what` says what was asked, on what. */
export function refusalError(
  refusal: Refusal,
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): KernelError {
  return errnoError(refusal.errno, what, {
    details: { ...details, ...(refusal.offset === undefined ? {} : { offset: refusal.offset }) },
    ...(refusal.words === undefined ? {} : { words: refusal.words }),
  });
}
