/** Lets flows be forgotten after their rules have changed: one search of the kernel's table for all that has come up meanwhile. */
import type { Conntrack } from '@berth/kernel/conntrack';
import type { IpAddress } from '@berth/kernel/ip';
import type { Log } from '@berth/service/log';
import { dataplaneMessages as messages } from '../messages/index.ts';
import { Wakeup } from '../wakeup.ts';
import { forgetFlows } from './forget-flows.ts';
import { abandonedAddresses, type FlowsToForget } from './hand-over.ts';

export interface FlowKeeperParts {
  readonly conntrack: Pick<Conntrack, 'delete'>;
  /** All addresses of ours that clients may use. */
  readonly ownAddresses: () => readonly IpAddress[];
  readonly log: Log;
}

interface Work {
  readonly flows: readonly FlowsToForget[];
  readonly ended: () => void;
}

export class FlowKeeper {
  readonly #parts: FlowKeeperParts;
  readonly #wakeup = new Wakeup();
  #waiting: Work[] = [];

  constructor(parts: FlowKeeperParts) {
    this.#parts = parts;
  }

  /** Call it when the rules are in force: a flow that is forgotten before them would come back as it was. */
  forget(flows: readonly FlowsToForget[], ended: () => void): void {
    this.#waiting.push({ flows, ended });
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { conntrack, ownAddresses, log } = this.#parts;
    while (!signal.aborted) {
      await this.#wakeup.wait(signal);
      if (signal.aborted) return;
      const work = this.#waiting;
      this.#waiting = [];
      const flows = work.flatMap((one) => one.flows);
      try {
        const count = await forgetFlows(conntrack, flows, ownAddresses, signal);
        for (const { address } of abandonedAddresses(flows)) {
          log.say(messages.flushed, { ip: address, flows: count });
        }
      } catch (err) {
        if (!signal.aborted) log.say(messages.flushFailed, { err });
      } finally {
        for (const { ended } of work) ended();
      }
    }
  }
}
