/** What the DHCP clients of the external interface are given. */
import type { Netns } from '@berth/kernel/netns';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { ExternalLink, LeaseStore } from '../addressing/index.ts';
import type { Family } from '../families.ts';
import type { AnchordMetrics } from '../metrics.ts';
import type { Problems } from '../problems.ts';
import type { ExternalDefaultRoute } from './default-route.ts';

export interface DhcpSettings {
  readonly families: readonly Family[];
  readonly hostName: string;
  /** Undefined: the server goes by the MAC. */
  readonly clientId: Uint8Array | undefined;
  readonly backoffMaxMs: number;
  readonly releaseOnStop: boolean;
}

export interface DhcpParts {
  /** The external interface as it is now; undefined while there is none. */
  readonly link: () => ExternalLink | undefined;
  readonly route: Pick<ExternalDefaultRoute, 'dhcpRouter'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AnchordMetrics;
  readonly problems: Problems;
  readonly onScrape: (collect: () => void) => () => void;
  readonly namespace?: Netns;
  /** Where leases are remembered; by default in a file each. */
  readonly store?: LeaseStore;
  readonly store6?: LeaseStore;
}
