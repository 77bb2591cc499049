/** The generation of the rulesets of a namespace: it moves on with each transaction, whoever makes it. */
import { Attributes, type NetlinkMessage, type NetlinkSocket } from '../../netlink/index.ts';
import { given } from '../model/index.ts';
import { NETFILTER_HEADER_BYTES, netfilterHeader } from './batch.ts';
import { GEN_ID, GEN_PROCESS_ID, GEN_PROCESS_NAME, GETGEN, NEWGEN } from './message-numbers.ts';

/** A transaction that was done. */
export interface GenerationEvent {
  readonly generation: number;
  /** Who did it; not known to old kernels. */
  readonly processId?: number;
  readonly processName?: string;
}

export function readGeneration(socket: NetlinkSocket): number {
  const [message] = socket.ask({
    type: GETGEN,
    body: (writer) => writer.raw(netfilterHeader(0)),
    what: 'asking for the generation of the nftables rulesets',
  });
  const attributes = message && Attributes.after(message.payload, NETFILTER_HEADER_BYTES);
  return attributes?.u32be(GEN_ID) ?? 0;
}

/** `undefined` for what is told of the single objects of a transaction. */
export function readGenerationEvent({ type, payload }: NetlinkMessage): GenerationEvent | undefined {
  if (type !== NEWGEN) return undefined;
  const attributes = Attributes.after(payload, NETFILTER_HEADER_BYTES);
  return {
    generation: attributes.u32be(GEN_ID) ?? 0,
    ...given('processId', attributes.u32be(GEN_PROCESS_ID)),
    ...given('processName', attributes.string(GEN_PROCESS_NAME)),
  };
}
