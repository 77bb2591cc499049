/** Makes the external interface of the old kind, keeps it, runs DHCP on it, and takes it away at the end. */
import type { Network } from '@berth/kernel/network';
import { type Clock, Scope } from '@berth/service';
import { duration, type Log } from '@berth/service/log';
import { anchordErrors } from '../errors.ts';
import { externalMessages as messages } from '../messages/index.ts';
import { Wakeup } from '../wakeup.ts';
import { type MacvlanChild, planMacvlan } from './macvlan.ts';

export interface MacvlanKeeperParts {
  readonly network: Network;
  /** Runs DHCP on the interface until the abort. */
  readonly runDhcp: (signal: AbortSignal) => Promise<void>;
  readonly backoffMaxMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const firstBackoffMs = 1_000;

export class MacvlanKeeper {
  readonly #child: MacvlanChild;
  readonly #parts: MacvlanKeeperParts;
  readonly #wakeup = new Wakeup();

  constructor(child: MacvlanChild, parts: MacvlanKeeperParts) {
    this.#child = child;
    this.#parts = parts;
  }

  /** Links changed. */
  kernelChanged(): void {
    this.#wakeup.wake();
  }

  /** Until the abort; then DHCP ends first, and the interface goes. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, backoffMaxMs } = this.#parts;
    const { name: iface, parent } = this.#child;
    const firstMs = Math.min(firstBackoffMs, backoffMaxMs);
    try {
      for (let backoffMs = firstMs; !signal.aborted; backoffMs = Math.min(backoffMs * 2, backoffMaxMs)) {
        try {
          this.#ensure();
          await this.#useUntilLost(signal);
          if (signal.aborted) return;
          backoffMs = firstMs;
          log.say(messages.dhcpClientsExited, { iface, backoff: duration(backoffMs) });
        } catch (err) {
          if (signal.aborted) return;
          log.say(messages.macvlanFailed, { iface, parent, err, backoff: duration(backoffMs) });
        }
        await this.#untilWorthATry(clock, backoffMs, signal);
      }
    } finally {
      this.#remove();
    }
  }

  #ensure(): void {
    const { network, log } = this.#parts;
    const plan = planMacvlan(network.links.list(), this.#child);
    const { name: iface, parent, mac } = this.#child;
    if (plan.kind === 'parent-missing') {
      throw anchordErrors.error('VLAN_PARENT_MISSING', `there is no interface ${parent} in this namespace`);
    }
    for (const step of plan.steps) {
      switch (step.kind) {
        case 'delete':
          network.links.delete(step.index);
          break;
        case 'create':
          network.links.create({
            kind: 'macvlan',
            name: iface,
            parent: step.parent,
            mode: 'bridge',
            mac,
            up: true,
          });
          log.say(messages.macvlanUp, { iface, parent, mac });
          break;
        case 'set-up':
          network.links.change(step.index, { up: true });
          break;
      }
    }
  }

  /** The pause; a parent that appears meanwhile ends it. */
  async #untilWorthATry(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const had = this.#hasParent();
    const endMs = clock.monotonic() + ms;
    while (await this.#wakeup.waitUpTo(clock, endMs - clock.monotonic(), signal)) {
      if (!had && this.#hasParent()) return;
    }
  }

  #hasParent(): boolean {
    return this.#parts.network.links.byName(this.#child.parent) !== undefined;
  }

  /** DHCP runs until the interface is no longer what it should be. */
  async #useUntilLost(signal: AbortSignal): Promise<void> {
    const { log, runDhcp } = this.#parts;
    await using use = new Scope('macvlan', (err) => log.say(messages.macvlanFailed, this.#failure(err)));
    use.spawn('dhcp', runDhcp);
    while (!signal.aborted) {
      await this.#wakeup.wait(signal);
      if (signal.aborted || this.#isUsable()) continue;
      log.say(messages.macvlanLost, { iface: this.#child.name });
      return;
    }
  }

  #isUsable(): boolean {
    const plan = planMacvlan(this.#parts.network.links.list(), this.#child);
    return plan.kind === 'steps' && plan.steps.length === 0;
  }

  #failure(err: unknown) {
    return { iface: this.#child.name, parent: this.#child.parent, err, backoff: duration(firstBackoffMs) };
  }

  #remove(): void {
    const { network, log } = this.#parts;
    const link = network.links.byName(this.#child.name);
    if (link === undefined) return;
    network.links.delete(link.index);
    log.say(messages.macvlanRemoved, { iface: this.#child.name });
  }
}
