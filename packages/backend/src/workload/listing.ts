/** The containers that are ours, as the engine lists them, with what their labels say. */
import type { ContainerStatus, ContainerSummary, Containers } from '@berth/engine';
import type { Log } from '@berth/service/log';
import { flatServiceName } from '../manifest/index.ts';
import { isSetAside, label } from '../names/index.ts';

export interface LeaseContainer {
  readonly id: string;
  readonly name: string;
  readonly status: ContainerStatus;
  readonly image: string;
  readonly lease: string;
  readonly tenant: string;
  readonly provider: string;
  readonly sku: string;
  readonly service: string;
  /** From before there were stacks: it has no service of its own, and counts as that of a flat manifest. */
  readonly legacy: boolean;
  readonly index: number;
  /** How many instances the service should have; 0 when the label is not there. */
  readonly quantity: number;
  readonly failCount: number;
  readonly createdAtMs: number;
  readonly callbackUrl: string;
  readonly customDomain: string;
  readonly fqdn: string | undefined;
  readonly operationId: string;
  /** On its way in or out: not a live container of its lease. */
  readonly setAside: boolean;
}

/** Another backend on the same engine has its own. */
export const ourFilters = (backendName: string, ...more: readonly string[]) => ({
  label: [`${label.managed}=true`, `${label.backendName}=${backendName}`, ...more],
});

export interface Listing {
  readonly containers: readonly LeaseContainer[];
  /** Ids of containers whose labels cannot be read: a default would give two containers one place. */
  readonly unreadable: readonly string[];
}

export class ContainerListing {
  readonly #containers: Pick<Containers, 'list'>;
  readonly #backendName: string;
  readonly #log: Log;

  constructor(containers: Pick<Containers, 'list'>, backendName: string, log: Log) {
    this.#containers = containers;
    this.#backendName = backendName;
    this.#log = log;
  }

  /** All that is ours, running or not. */
  async all(): Promise<Listing> {
    return await this.#list();
  }

  /** All of one lease, also those that are set aside; by service and index. */
  async ofLease(lease: string): Promise<Listing> {
    return await this.#list(`${label.lease}=${lease}`);
  }

  async #list(...labels: readonly string[]): Promise<Listing> {
    const filters = ourFilters(this.#backendName, ...labels);
    const summaries = await this.#containers.list({ all: true, filters });
    const containers: LeaseContainer[] = [];
    const unreadable: string[] = [];
    for (const summary of summaries) {
      const container = leaseContainer(summary);
      if (typeof container !== 'string') containers.push(container);
      else {
        unreadable.push(summary.id);
        this.#log.warn('container left out, a label cannot be read', {
          container_id: summary.id.slice(0, 12),
          reason: container,
        });
      }
    }
    return { containers: containers.sort(byPlace), unreadable };
  }
}

const byPlace = (a: LeaseContainer, b: LeaseContainer): number =>
  compare(a.lease, b.lease) || compare(a.service, b.service) || a.index - b.index;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What the labels say, or which of them cannot be read. */
function leaseContainer(summary: ContainerSummary): LeaseContainer | string {
  const { labels } = summary;
  const text = (key: string): string => labels[key] ?? '';
  const numbers = [label.instanceIndex, label.failCount, label.quantity].map(
    (key) => [key, text(key)] as const,
  );
  const wrong = numbers.find(([, value]) => value !== '' && !/^\d{1,9}$/.test(value));
  if (wrong !== undefined) return wrong[0];
  const created = text(label.createdAt);
  if (created !== '' && Number.isNaN(Date.parse(created))) return label.createdAt;
  const [name = ''] = summary.names;
  const legacy = text(label.lease) !== '' && text(label.serviceName) === '';
  return {
    id: summary.id,
    name,
    status: summary.status,
    image: summary.image,
    lease: text(label.lease),
    tenant: text(label.tenant),
    provider: text(label.provider),
    sku: text(label.sku),
    service: legacy ? flatServiceName : text(label.serviceName),
    legacy,
    index: Number(text(label.instanceIndex)),
    quantity: Number(text(label.quantity)),
    failCount: Number(text(label.failCount)),
    createdAtMs: created === '' ? 0 : Date.parse(created),
    callbackUrl: text(label.callbackUrl),
    customDomain: text(label.customDomain),
    fqdn: labels[label.fqdn],
    operationId: text(label.operation),
    setAside: isSetAside(name),
  };
}

/** Does it run, as far as a lease is concerned? */
export const isAlive = (status: ContainerStatus): boolean => status === 'running' || status === 'paused';

/** It has ended, and does not come back by itself. */
export const isDead = (status: ContainerStatus): boolean =>
  status === 'exited' || status === 'dead' || status === 'removing';
