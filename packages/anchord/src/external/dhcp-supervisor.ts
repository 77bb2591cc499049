/** Keeps the DHCP clients of the external interface running, one a family; neither waits for the other. */
import type { ExternalLink } from '../addressing/index.ts';
import { anchordErrors } from '../errors.ts';
import type { PerFamily } from '../families.ts';
import type { DhcpParts, DhcpSettings } from './dhcp-parts.ts';
import { keepLease, type LeaseLoopParts } from './lease-loop.ts';
import { lost4, startDhcp4 } from './lease4.ts';
import { Dhcp6Side } from './lease6.ts';

export class DhcpSupervisor {
  readonly #settings: DhcpSettings;
  readonly #parts: DhcpParts;

  constructor(settings: DhcpSettings, parts: DhcpParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Until the abort; then leases are given back and their addresses taken off before this resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { backoffMaxMs, families } = this.#settings;
    const common = { ...this.#parts, backoffMaxMs, present: () => this.#parts.link() !== undefined };
    const v6 = new Dhcp6Side(this.#settings, this.#parts);
    const loops: PerFamily<Omit<LeaseLoopParts, keyof typeof common>> = {
      v4: {
        family: 'v4',
        start: (failed) => startDhcp4(this.#settings, this.#parts, this.#link(), failed),
        lost: (reason, backoffMs) => lost4(reason, backoffMs, this.#parts),
      },
      v6: {
        family: 'v6',
        start: (failed) => v6.start(this.#link(), failed),
        lost: (reason, backoffMs) => v6.lost(reason, backoffMs),
      },
    };
    await Promise.all(
      [...new Set(families)].map((family) => keepLease({ ...common, ...loops[family] }, signal)),
    );
  }

  #link(): ExternalLink {
    const link = this.#parts.link();
    if (link === undefined) {
      throw anchordErrors.error('EXTERNAL_INTERFACE_NOT_FOUND', 'the external interface is not there');
    }
    return link;
  }
}
