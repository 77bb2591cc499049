/** Which of the containers that should run do not. */
import { type Containers, engineErrors } from '@berth/engine';
import { errorText, type Log } from '@berth/service/log';
import type { Death, Lease } from '../lease/index.ts';
import { isSetAside } from '../names/index.ts';
import { type ContainerListing, isDead, type LeaseContainer } from './listing.ts';

export interface ObservationContext {
  readonly containers: Pick<Containers, 'inspect'>;
  readonly listing: ContainerListing;
  readonly log: Log;
}

const confirmMs = 10_000;

export class Observation {
  readonly #context: ObservationContext;

  constructor(context: ObservationContext) {
    this.#context = context;
  }

  async confirmDeath(lease: Lease, suspect: Death): Promise<Death | undefined> {
    const { containers, log } = this.#context;
    if (suspect.containerId === '') return await this.#confirmAbsence(lease, suspect);
    try {
      const { state, name } = await containers.inspect(suspect.containerId, { timeoutMs: confirmMs });
      // One that was stopped to be replaced may be heard of late, when its successor serves already.
      if (!isDead(state.status) || isSetAside(name)) return undefined;
      return { ...suspect, exitCode: state.exitCode, oomKilled: state.oomKilled };
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return await this.#confirmAbsence(lease, suspect);
      log.warn('a container that is said to have died cannot be looked at', {
        lease_uuid: lease.uuid,
        container_id: suspect.containerId.slice(0, 12),
        error: errorText(error),
      });
      return undefined;
    }
  }

  /** It is gone. That is a death unless something else stands in its place, or nothing is left of the lease at all. */
  async #confirmAbsence(lease: Lease, suspect: Death): Promise<Death | undefined> {
    const { containers } = await this.#context.listing.ofLease(lease.uuid);
    const live = containers.filter(({ setAside }) => !setAside);
    const replaced = live.some(
      ({ service, index }) => service === suspect.service && index === suspect.index,
    );
    return replaced || live.length === 0 ? undefined : suspect;
  }

  async findDeath(lease: Lease): Promise<Death | undefined> {
    const { containers } = await this.#context.listing.ofLease(lease.uuid);
    return deathAmong(lease, containers);
  }
}

/** The first instance that should run and does not; missing ones count. */
export function deathAmong(lease: Lease, containers: readonly LeaseContainer[]): Death | undefined {
  const live = new Map(
    containers.filter(({ setAside }) => !setAside).map((one) => [`${one.service}/${one.index}`, one]),
  );
  for (const { serviceName: service, quantity } of lease.items) {
    for (let index = 0; index < quantity; index++) {
      const container = live.get(`${service}/${index}`);
      if (container === undefined) return { service, index, containerId: '' };
      if (isDead(container.status)) return { service, index, containerId: container.id };
    }
  }
  return undefined;
}
