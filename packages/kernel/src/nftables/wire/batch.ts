/** Commands as one batch of netlink messages: the kernel takes all of them or none. */
import { type MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from '../../netlink/index.ts';
import { familyNumber } from '../model/index.ts';
import type { Command } from './commands.ts';
import { concerning } from './concerning.ts';
import {
  BATCH_SUBSYSTEM,
  NFNL_BATCH_GENID,
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
} from './message-numbers.ts';

export interface BatchOptions {
  /** Gives each message its number; no two messages of one socket may have the same. */
  readonly nextSequence: () => number;
  /** Refused by the kernel if the rulesets of the namespace are not of this generation any more. */
  readonly generation?: number;
}

/** Where the messages of a batch went, by sequence number. */
export interface WrittenBatch {
  readonly begin: number;
  readonly commands: ReadonlyMap<number, Command>;
  /** The last command: the one whose acknowledgement says that all of them are in force. */
  readonly last: number;
}

export function writeBatch(
  writer: MessageWriter,
  commands: readonly Command[],
  { nextSequence, generation }: BatchOptions,
): WrittenBatch {
  const begin = nextSequence();
  writer.message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, begin, () => {
    writer.raw(netfilterHeader(0, BATCH_SUBSYSTEM));
    if (generation !== undefined) writer.u32be(NFNL_BATCH_GENID, generation);
  });
  const written = new Map<number, Command>();
  let last = begin;
  for (const [index, command] of commands.entries()) {
    last = nextSequence();
    written.set(last, command);
    // Kernels before 6.10 acknowledge no batch, and loading a module may bring a second acknowledgement: one is asked for,
    // on the last command, and none is counted.
    const acknowledge = index === commands.length - 1 ? NLM_F_ACK : 0;
    writer.message(command.type, NLM_F_REQUEST | acknowledge | command.flags, last, () => {
      writer.raw(netfilterHeader(familyNumber(command.family)));
      concerning(command.what, () => command.body(writer));
    });
  }
  writer.message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, nextSequence(), () =>
    writer.raw(netfilterHeader(0, BATCH_SUBSYSTEM)),
  );
  return { begin, commands: written, last };
}

export const NETFILTER_HEADER_BYTES = 4;

export const netfilterHeader = (family: number, resource = 0): Uint8Array =>
  Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
