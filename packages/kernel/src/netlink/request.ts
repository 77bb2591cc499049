import { NLM_F_REQUEST } from './constants.ts';
import type { MessageWriter } from './message-writer.ts';

/** One thing asked of the kernel. */
export interface NetlinkRequest {
  readonly type: number;
  /** Beside NLM_F_REQUEST and what the kind of asking brings with it. */
  readonly flags?: number;
  /** Writes the family header and the attributes. */
  readonly body: (writer: MessageWriter) => void;
  /** For errors: what is asked, on what. `adding address 10.0.0.2/24 to eth0`. */
  readonly what: string;
}

/** Writes the request as the only message. */
export function writeRequest(
  writer: MessageWriter,
  request: NetlinkRequest,
  flags: number,
  sequence: number,
): void {
  writer.reset();
  writer.message(request.type, NLM_F_REQUEST | flags | (request.flags ?? 0), sequence, request.body);
}
