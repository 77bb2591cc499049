import type { ContainerDetails, Containers } from '@berth/engine';
import type { Lease } from '../lease/index.ts';
import type { InstanceFacts, LeaseInspection } from '../operations/index.ts';
import { Slots } from '../slots.ts';
import { tenantLogs } from './diagnosis.ts';
import type { ContainerListing, LeaseContainer } from './listing.ts';
import { together } from './order.ts';

/** How many containers are looked at or read from at the same time, for all who ask. */
const parallelLooks = 32;
const parallelReads = 4;

/** Shows tenants their containers, as they are now. */
export class ContainerInspection implements LeaseInspection {
  readonly #containers: Pick<Containers, 'inspect' | 'logs'>;
  readonly #listing: ContainerListing;
  readonly #looks = new Slots(parallelLooks);
  /** Logs are held in memory while they are read. */
  readonly #reads = new Slots(parallelReads);

  constructor(containers: Pick<Containers, 'inspect' | 'logs'>, listing: ContainerListing) {
    this.#containers = containers;
    this.#listing = listing;
  }

  async instances(lease: Lease): Promise<readonly InstanceFacts[]> {
    const current = await this.#current(lease);
    const facts: InstanceFacts[] = new Array(current.length);
    await together([...current.entries()], new AbortController().signal, async ([at, container]) => {
      const details = await this.#looks.run(() => this.#containers.inspect(container.id));
      facts[at] = factsOf(lease, container, details);
    });
    return facts;
  }

  async logs(lease: Lease, tail: number, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const current = await this.#current(lease);
    return await this.#reads.run(() => tenantLogs(this.#containers, current, tail, signal), signal);
  }

  /** By service and index; what is set aside is nobody's business. */
  async #current({ uuid }: Lease): Promise<readonly LeaseContainer[]> {
    const { containers } = await this.#listing.ofLease(uuid);
    return containers.filter(({ setAside }) => !setAside);
  }
}

function factsOf(
  { images }: Lease,
  { id, service, index, fqdn, image }: LeaseContainer,
  { state, ports }: ContainerDetails,
): InstanceFacts {
  const first = new Map<string, { hostIp: string; hostPort: string }>();
  for (const { containerPort, hostIp, hostPort } of ports)
    if (!first.has(containerPort)) first.set(containerPort, { hostIp, hostPort: String(hostPort) });
  return {
    service,
    index,
    containerId: id,
    image: (Object.hasOwn(images, service) ? images[service] : undefined) ?? image,
    status: state.status,
    fqdn,
    ports: first,
  };
}
