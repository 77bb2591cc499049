import { constants } from 'node:os';
import { errnoOf, kernelErrors } from '../errors.ts';
import {
  Attributes,
  BackgroundDumps,
  familyNumber,
  MessageWriter,
  malformed,
  NETLINK_NETFILTER,
  type NetlinkMessage,
  NetlinkSocket,
  NLA_F_NESTED,
  NLM_F_ACK,
  NLM_F_REQUEST,
  refusalError,
} from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import type { Flow } from './flow.ts';
import * as n from './numbers.ts';
import { type FlowSelection, FlowSelector } from './selection.ts';

/** Room for the answers to as many deletions as one page of flows can lead to. */
const ANSWERS_BYTES = 2 ** 20;

/** A selection that names the backend, so that nothing deletes all flows by forgetting a field. */
export type FlowsToBackend = FlowSelection & Required<Pick<FlowSelection, 'replySource'>>;

/** The flows that the kernel tracks in one namespace. */
export class Conntrack implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #dumps: BackgroundDumps;

  private constructor(options: { readonly protocol: number; readonly namespace?: Netns }) {
    this.#dumps = new BackgroundDumps(options);
    this.#socket = NetlinkSocket.open({ ...options, receiveBufferBytes: ANSWERS_BYTES });
  }

  /** `namespace` has to be held for as long as this is used. */
  static open(namespace?: Netns): Conntrack {
    return new Conntrack({
      protocol: NETLINK_NETFILTER,
      ...(namespace === undefined ? {} : { namespace }),
    });
  }

  /** How many flows there are. */
  count(): number {
    const what = 'counting the tracked flows';
    const [answer] = withModule(what, () =>
      this.#socket.ask({
        type: n.CT_GET_STATS,
        body: (writer) => writer.raw(new Uint8Array(n.HEADER_BYTES)),
        what,
      }),
    );
    const entries =
      answer && Attributes.after(answer.payload, n.HEADER_BYTES).u32be(n.CTA_STATS_GLOBAL_ENTRIES);
    if (entries === undefined) throw malformed('the conntrack statistics lack the number of entries');
    return entries;
  }

  /** The selected flows, page by page; the event loop stays free while the kernel collects them. */
  async *pages(wanted: FlowSelection = {}, signal?: AbortSignal): AsyncGenerator<Flow[], void, undefined> {
    for await (const page of this.#search([wanted], signal)) yield page.map(({ flow }) => flow);
  }

  /**
   * Ends the tracking of every flow that agrees with one of the selections, and answers how many there were. The next
   * packet of such a flow is taken for the first one of a new flow, and goes where the rules send it now. Deleting a
   * flow that has just ended by itself is no error.
   */
  async delete(selections: readonly FlowsToBackend[], signal?: AbortSignal): Promise<number> {
    if (selections.length === 0) return 0;
    let deleted = 0;
    for await (const page of this.#search(selections, signal)) deleted += this.#deletePage(page);
    return deleted;
  }

  [Symbol.dispose](): void {
    this.#dumps[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }

  /**
   * Looks at every flow of the family. The kernel could search for an address itself, but must not be trusted with it:
   * for IPv6 it answers exactly the flows that do not match (Linux 6.18 and before), and the first kernels that had
   * the search compare the reply direction with nothing.
   */
  async *#search(
    selections: readonly FlowSelection[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly flow: Flow; readonly message: NetlinkMessage }[], void, undefined> {
    const what = 'reading the tracked flows';
    const selector = new FlowSelector(selections);
    const body = (writer: MessageWriter): void =>
      writer.raw(Uint8Array.of(familyNumber(selector.family), 0, 0, 0));
    try {
      for await (const page of this.#dumps.pages({ type: n.CT_GET, body, what })) {
        signal?.throwIfAborted();
        const found = page.messages.flatMap((message) => {
          const flow = selector.find(message);
          return flow === undefined ? [] : [{ flow, message }];
        });
        if (found.length > 0) yield found;
      }
    } catch (error) {
      throw explained(error, what);
    }
  }

  #deletePage(page: readonly { readonly message: NetlinkMessage }[]): number {
    const writer = new MessageWriter(page.length * 128);
    for (const { message } of page) this.#writeDeletion(writer, message);
    const what = `deleting ${page.length} tracked flows`;
    const { refusals, acknowledged } = this.#socket.batch(writer, what);
    const serious = refusals.find(({ errno }) => errno !== constants.errno.ENOENT);
    if (serious !== undefined) throw refusalError(serious, what);
    return acknowledged.length;
  }

  /** Names the flow by its original tuple as the kernel told it, and by its id, so that no successor is hit. */
  #writeDeletion(writer: MessageWriter, { payload }: NetlinkMessage): void {
    const attributes = Attributes.after(payload, n.HEADER_BYTES);
    writer.message(n.CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, this.#socket.nextSequence(), () => {
      writer.raw(Uint8Array.of(payload.readUInt8(0), 0, 0, 0));
      writer.binary(n.CTA_TUPLE_ORIG | NLA_F_NESTED, attributes.binary(n.CTA_TUPLE_ORIG) ?? new Uint8Array());
      for (const type of [n.CTA_ZONE, n.CTA_ID]) {
        const value = attributes.binary(type);
        if (value !== undefined) writer.binary(type, value);
      }
    });
  }
}

function withModule<T>(what: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw explained(error, what);
  }
}

/** A kernel without the module does not know the messages at all, and says only that they are invalid. */
function explained(error: unknown, what: string): unknown {
  if (errnoOf(error) !== 'EINVAL') return error;
  return kernelErrors.error(
    'KERNEL_UNSUPPORTED',
    `${what} failed: the kernel does not know conntrack messages (module nf_conntrack_netlink)`,
    { cause: error },
  );
}
