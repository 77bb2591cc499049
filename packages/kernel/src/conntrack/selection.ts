/** Which flows are meant. */
import { familyOf, type IpAddress, type IpFamily, ipBytes } from '../ip/index.ts';
import type { NetlinkMessage } from '../netlink/index.ts';
import { type Flow, type IpProtocol, readFlow, readReplySource } from './flow.ts';

/** A flow is selected if it agrees with all that is given. */
export interface FlowSelection {
  readonly family?: IpFamily;
  readonly protocol?: IpProtocol;
  /** Where a redirected flow really goes: the backend. */
  readonly replySource?: IpAddress;
  readonly replySourcePort?: number;
  /** What the client asked for: the address and port on the LAN. */
  readonly originalDestination?: IpAddress;
  readonly originalDestinationPort?: number;
  readonly zone?: number;
}

/** Finds the flows that agree with one of several selections. */
export class FlowSelector {
  /** The one family of all of them, if there is one. */
  readonly family: IpFamily | undefined;
  readonly #selections: readonly FlowSelection[];
  /** The reply sources as raw bytes, if each selection names one: then few flows have to be read as a whole. */
  readonly #sources: ReadonlySet<string> | undefined;

  constructor(selections: readonly FlowSelection[]) {
    this.#selections = selections;
    const families = new Set(selections.map(familyOfSelection));
    this.family = families.size === 1 ? [...families][0] : undefined;
    const sources = selections.flatMap(({ replySource }) =>
      replySource === undefined ? [] : [Buffer.from(ipBytes(replySource)).toString('latin1')],
    );
    this.#sources = sources.length === selections.length ? new Set(sources) : undefined;
  }

  /** The flow in the message, if it is selected. */
  find(message: NetlinkMessage): Flow | undefined {
    if (this.#sources !== undefined) {
      const source = readReplySource(message)?.toString('latin1');
      if (source === undefined || !this.#sources.has(source)) return undefined;
    }
    const flow = readFlow(message);
    if (flow === undefined || !this.#selections.some((wanted) => agrees(flow, wanted))) return undefined;
    return flow;
  }
}

function familyOfSelection({
  family,
  replySource,
  originalDestination,
}: FlowSelection): IpFamily | undefined {
  if (family !== undefined) return family;
  const address = replySource ?? originalDestination;
  return address === undefined ? undefined : familyOf(address);
}

function agrees(flow: Flow, wanted: FlowSelection): boolean {
  const is = <T>(value: T, one: T | undefined): boolean => one === undefined || value === one;
  return (
    is(flow.family, wanted.family) &&
    is(flow.protocol, wanted.protocol) &&
    is(flow.reply.source, wanted.replySource) &&
    is(flow.reply.sourcePort, wanted.replySourcePort) &&
    is(flow.original.destination, wanted.originalDestination) &&
    is(flow.original.destinationPort, wanted.originalDestinationPort) &&
    is(flow.zone, wanted.zone)
  );
}
