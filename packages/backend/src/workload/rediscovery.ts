import type { Log } from '@berth/service/log';
import type { Rediscovered } from '../leases/index.ts';
import type { SkuCatalogue } from '../placement/index.ts';
import type { ReleaseStore } from '../stores/index.ts';
import type { Evidence } from './evidence.ts';
import { knownRelease } from './known-release.ts';
import type { ContainerListing } from './listing.ts';
import { rebuiltLease, unusable, wasUnfinished } from './rebuild.ts';

export interface RediscoveryContext {
  readonly listing: ContainerListing;
  readonly releases: ReleaseStore;
  readonly catalogue: SkuCatalogue;
  readonly evidence: Evidence;
  readonly log: Log;
  readonly now: () => number;
}

/** Finds a lease whose record is lost by its containers and its release history. */
export class Rediscovery {
  readonly #context: RediscoveryContext;

  constructor(context: RediscoveryContext) {
    this.#context = context;
  }

  async find(uuid: string): Promise<Rediscovered | undefined> {
    const { listing, catalogue, evidence, releases, log, now } = this.#context;
    const { containers } = await listing.ofLease(uuid);
    const usable = containers.filter((one) => !one.setAside && unusable(one, catalogue) === undefined);
    const nowMs = now();
    const lease = rebuiltLease(usable, {
      catalogue,
      release: knownRelease(releases, uuid, log),
      lastRelease: releases.highestVersion(uuid),
      nowMs,
    });
    if (lease === undefined) return undefined;
    const logs = lease.failure === undefined ? {} : await evidence.logs(lease);
    const owed =
      lease.failure !== undefined && wasUnfinished(usable)
        ? ({
            callbackUrl: lease.callbackUrl,
            status: 'failed',
            error: lease.failure.message,
            atMs: nowMs,
          } as const)
        : undefined;
    return { lease, owed, logs };
  }
}
