import { NETLINK_NETFILTER, NetlinkListener, NLM_F_CREATE } from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { type Flow, readFlow } from './flow.ts';
import { CT_DELETE, CT_NEW, GROUP_DESTROY, GROUP_NEW, GROUP_UPDATE } from './numbers.ts';

const groups = { new: GROUP_NEW, update: GROUP_UPDATE, destroy: GROUP_DESTROY } as const;
export type FlowChange = keyof typeof groups;

export interface ConntrackWatchOptions {
  readonly namespace?: Netns;
  readonly changes: readonly FlowChange[];
  readonly receiveBufferBytes?: number;
}

export interface ConntrackEvents {
  flow(change: FlowChange, flow: Flow): void;
  /** Events were lost. */
  overrun(): void;
  /** The watch is over, for that reason. */
  failed(error: unknown): void;
}

/**
 * Hears of flows that begin, change and end. With the kernel's default settings it tells only of flows that began
 * while somebody was listening.
 */
export class ConntrackWatch implements Disposable {
  readonly #listener: NetlinkListener;

  static open(options: ConntrackWatchOptions, events: ConntrackEvents): ConntrackWatch {
    return new ConntrackWatch(options, events);
  }

  private constructor({ changes, ...options }: ConntrackWatchOptions, events: ConntrackEvents) {
    this.#listener = NetlinkListener.open(
      { ...options, protocol: NETLINK_NETFILTER, groups: changes.map((change) => groups[change]) },
      {
        event(message) {
          if (message.type !== CT_NEW && message.type !== CT_DELETE) return;
          const flow = readFlow(message);
          if (flow === undefined) return;
          const begins = (message.flags & NLM_F_CREATE) !== 0;
          events.flow(message.type === CT_DELETE ? 'destroy' : begins ? 'new' : 'update', flow);
        },
        overrun: () => events.overrun(),
        failed: (error) => events.failed(error),
      },
    );
  }

  [Symbol.dispose](): void {
    this.#listener[Symbol.dispose]();
  }
}
