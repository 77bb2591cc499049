/** Hears of every change to the rulesets of a namespace, within milliseconds, whoever makes it. */
import { NETLINK_NETFILTER, NetlinkListener } from '../netlink/index.ts';
import type { Netns } from '../netns/index.ts';
import { type GenerationEvent, NFNLGRP_NFTABLES, readGenerationEvent } from './wire/index.ts';

export interface RulesetEvents {
  /** A transaction was done. One of our own has the generation that `commit` answered. */
  changed(event: GenerationEvent): void;
  /** Events were lost: look what is there now. */
  overrun(): void;
  /** The watch ended, because reading failed or because one of the functions above threw. */
  failed(error: unknown): void;
}

/** A transaction of thousands of elements tells of each of them before it tells of itself. */
const RECEIVE_BUFFER_BYTES = 4 * 2 ** 20;

/** Begins to listen before it returns: read the rulesets after that, and no change goes unnoticed. */
export function watchRulesets(
  events: RulesetEvents,
  { namespace }: { readonly namespace?: Netns } = {},
): Disposable {
  return NetlinkListener.open(
    {
      protocol: NETLINK_NETFILTER,
      groups: [NFNLGRP_NFTABLES],
      receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      ...(namespace === undefined ? {} : { namespace }),
    },
    {
      event(message) {
        const event = readGenerationEvent(message);
        if (event !== undefined) events.changed(event);
      },
      overrun: () => events.overrun(),
      failed: (error) => events.failed(error),
    },
  );
}
