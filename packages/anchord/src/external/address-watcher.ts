/** Says when the external IPv4 address changes. Only tells; nothing depends on it. */
import { type IpAddress, isIpv4, isIpv6 } from '@berth/kernel/ip';
import type { Network } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { PerFamily } from '../families.ts';
import { externalMessages as messages } from '../messages/index.ts';
import type { Problems } from '../problems.ts';

export interface AddressWatcherParts {
  readonly network: Pick<Network, 'addresses'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
  readonly problems: Problems;
}

/** A lease takes a while at the start; later than this it is worth a word. */
const patienceMs = 10_000;

export class AddressWatcher {
  readonly #parts: AddressWatcherParts;
  readonly #link: () => number | undefined;
  /** The last address that was there, also while there is none. */
  #last: IpAddress | undefined;
  #present = false;
  #hasV6 = false;

  /** Since when there is none in either family. */
  #missingSinceMs: number | undefined;
  #said = false;

  constructor(parts: AddressWatcherParts, link: () => number | undefined) {
    this.#parts = parts;
    this.#link = link;
  }

  /** The families in which clients on the LAN may come; IPv4 always, as its address may come yet. */
  get inUse(): PerFamily<boolean> {
    return { v4: true, v6: this.#hasV6 };
  }

  /** Something changed, or it is time to look. */
  look(): void {
    const link = this.#link();
    const addresses = link === undefined ? [] : this.#parts.network.addresses.list({ link });
    const global = addresses.filter(({ scope }) => scope === 'global');
    const now = global.find(({ address }) => isIpv4(address))?.address;
    const { log, problems } = this.#parts;
    if (now !== undefined && now !== this.#last) {
      log.say(messages.addressChanged, { old: this.#last ?? '', new: now });
    }
    if (now === undefined && this.#present) log.say(messages.addressLost, { old: this.#last ?? '' });
    this.#last = now ?? this.#last;
    this.#present = now !== undefined;
    this.#hasV6 = global.some(({ address }) => isIpv6(address));
    if (global.length > 0) {
      this.#missingSinceMs = undefined;
      this.#said = false;
      problems.clear('no-external-address', '');
    } else this.#missing(link === undefined ? 'there is no such interface' : 'neither IPv4 nor IPv6');
  }

  #missing(err: string): void {
    const { clock, log, problems } = this.#parts;
    problems.set('no-external-address', '', err);
    this.#missingSinceMs ??= clock.monotonic();
    if (this.#said || clock.monotonic() - this.#missingSinceMs < patienceMs) return;
    this.#said = true;
    log.say(messages.addressMissing, { err });
  }
}
