/** Builders for containers that read like the domain. */
import {
  type ContainerDetails,
  type ContainerQuery,
  type ContainerSummary,
  type Containers,
  denotes,
  engineErrors,
} from '@berth/engine';
import { parseIpv4, parseIpv6 } from '@berth/kernel/ip';
import type { Attachment, ObservedContainer } from '../discovery/container.ts';

export class ContainerBuilder implements ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number = 0;
  readonly running: boolean = true;
  readonly labels: Readonly<Record<string, string>> = {};
  readonly networkMode: string = 'bridge';
  readonly attachments: Readonly<Record<string, Attachment>> = {};

  constructor(name: string, changes: Partial<ObservedContainer> = {}) {
    this.name = name;
    this.id = name.padEnd(64, '0');
    Object.assign(this, changes);
  }

  #with(changes: Partial<ObservedContainer>): ContainerBuilder {
    return new ContainerBuilder(this.name, { ...this, ...changes });
  }

  exposing(value: string, v6?: string): ContainerBuilder {
    return this.labelled({
      'anchord.expose': value,
      ...(v6 === undefined ? {} : { 'anchord.expose.v6': v6 }),
    });
  }

  labelled(labels: Readonly<Record<string, string>>): ContainerBuilder {
    return this.#with({ labels: { ...this.labels, ...labels } });
  }

  on(network: string, ipv4?: string, ipv6?: string): ContainerBuilder {
    const attachment = {
      ipv4: ipv4 === undefined ? undefined : parseIpv4(ipv4),
      ipv6: ipv6 === undefined ? undefined : parseIpv6(ipv6),
    };
    return this.#with({ attachments: { ...this.attachments, [network]: attachment } });
  }

  joining(ref: string): ContainerBuilder {
    return this.#with({ networkMode: `container:${ref}` });
  }

  createdAt(createdAtMs: number): ContainerBuilder {
    return this.#with({ createdAtMs });
  }
}

export const container = (name: string): ContainerBuilder => new ContainerBuilder(name);

/** Docker as discovery sees it: containers that come and go, answers that fail or come late. */
export class FakeDocker implements Pick<Containers, 'list' | 'inspect'> {
  readonly all = new Map<string, ObservedContainer>();
  readonly asked: string[] = [];
  /** Every call fails with this as long as it is set. */
  failure: Error | undefined;
  /** Runs before an answer is given: what happens meanwhile. */
  meanwhile: ((asked: string) => void) | undefined;

  run(...containers: readonly ObservedContainer[]): void {
    for (const one of containers) this.all.set(one.id, one);
  }

  async list(query: ContainerQuery = {}): Promise<ContainerSummary[]> {
    const wanted = query.filters?.['label'] ?? [];
    const found = [...this.all.values()].filter(({ labels }) =>
      wanted.every((filter) => {
        const [key = '', value] = filter.split('=');
        return value === undefined ? key in labels : labels[key] === value;
      }),
    );
    this.#answer('list');
    return found.map((one) => ({
      id: one.id,
      names: [one.name],
      image: '',
      imageId: '',
      createdAt: one.createdAtMs / 1_000,
      status: one.running ? 'running' : 'exited',
      statusText: '',
      labels: one.labels,
      networkMode: one.networkMode,
      attachments: attachmentsOf(one),
    }));
  }

  async inspect(ref: string): Promise<ContainerDetails> {
    const found = [...this.all.values()].find((one) => denotes(ref, { id: one.id, names: [one.name] }));
    this.#answer(`inspect ${ref}`);
    if (found === undefined) throw engineErrors.error('ENGINE_NOT_FOUND', `no such container: ${ref}`);
    return detailsOf(found);
  }

  #answer(asked: string): void {
    this.asked.push(asked);
    this.meanwhile?.(asked);
    if (this.failure !== undefined) throw this.failure;
  }
}

const attachmentsOf = (one: ObservedContainer) =>
  Object.fromEntries(
    Object.entries(one.attachments).map(([name, { ipv4, ipv6 }]) => [
      name,
      { ipv4, ipv6, networkId: undefined, endpointId: undefined, mac: undefined, gateway: undefined },
    ]),
  );

function detailsOf(one: ObservedContainer): ContainerDetails {
  const noDetails = {
    aliases: [],
    links: [],
    driverOptions: {},
    gatewayPriority: undefined,
    fixedIpv4: undefined,
    fixedIpv6: undefined,
    linkLocalAddresses: [],
  };
  return {
    id: one.id,
    name: one.name,
    createdAt: new Date(one.createdAtMs).toISOString(),
    image: '',
    imageId: '',
    state: {
      status: one.running ? 'running' : 'exited',
      running: one.running,
      paused: false,
      restarting: false,
      oomKilled: false,
      pid: 1,
      exitCode: 0,
      error: undefined,
      startedAt: undefined,
      finishedAt: undefined,
      health: undefined,
    },
    restartCount: 0,
    labels: one.labels,
    networkMode: one.networkMode,
    tty: false,
    attachments: Object.fromEntries(
      Object.entries(attachmentsOf(one)).map(([name, attachment]) => [name, { ...attachment, ...noDetails }]),
    ),
    mounts: [],
    ports: [],
    config: {},
    hostConfig: {},
  };
}
