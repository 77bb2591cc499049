/**
 * As much of an engine as leases can see, in memory: for letting the program die in thousands of orders. A command "ends" ends
 * at once, one that is called "nothing" does not start, and an image called "absent" cannot be pulled.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  type ContainerDetails,
  type ContainerSummary,
  type Engine,
  type EngineErrorCode,
  type EngineEvent,
  type EventStream,
  engineErrors,
  type Filters,
  type Network,
} from '@berth/engine';
import type { ContainerCreateRequest } from '@docker/node-sdk';

const fail = (code: EngineErrorCode, message: string): never => {
  throw engineErrors.error(code, message);
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whatever is not played: nobody may rely on it here. */
const notPlayed = (): Promise<never> => Promise.reject(new Error('this engine does not play that'));

const isSelected = (labels: Readonly<Record<string, string>>, filters?: Filters): boolean =>
  (filters?.['label'] ?? []).every((wanted) => {
    const at = wanted.indexOf('=');
    return labels[wanted.slice(0, at)] === wanted.slice(at + 1);
  });

class Stream implements EventStream {
  readonly #events: EngineEvent[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  send(event: EngineEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, void> {
    while (!this.#ended) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#wake();
  }
}

/** All that an engine has lasting of containers and networks. */
export interface EngineState {
  readonly containers: readonly ContainerDetails[];
  readonly networks: readonly Network[];
}

export interface MemoryEngineOptions {
  /** What every image declares as its volumes. */
  readonly volumes?: readonly string[];
  /** Hears of every change, when it has happened. */
  readonly onChange?: (state: EngineState) => void;
  /** A container starts only when the folders of this host that it mounts are there. */
  readonly findsBinds?: boolean;
  /** Where it begins: what an engine had that lost its power. */
  readonly from?: EngineState;
}

export class MemoryEngine implements Engine {
  readonly address = 'memory';
  readonly #options: MemoryEngineOptions;
  readonly #containers = new Map<string, ContainerDetails>();
  readonly #networks = new Map<string, Network>();
  /** Leases whose containers do not start. */
  readonly refuses = new Set<string>();
  readonly #streams = new Set<Stream>();
  #events = 0;

  constructor(options: MemoryEngineOptions = {}) {
    this.#options = options;
    for (const one of options.from?.networks ?? []) this.#networks.set(one.id, one);
    for (const one of options.from?.containers ?? []) this.#put({ ...one, state: ended(one.state, 137) });
  }

  /** Nothing runs any more; what was made is there. */
  failPower(): void {
    for (const container of this.everything) this.#end(container, 137);
  }

  #put(container: ContainerDetails): void {
    this.#containers.set(container.id, container);
    this.#changed();
  }

  #changed(): void {
    this.#options.onChange?.({ containers: this.everything, networks: [...this.#networks.values()] });
  }

  get everything(): readonly ContainerDetails[] {
    return [...this.#containers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get networkNames(): readonly string[] {
    return Array.from(this.#networks.values(), ({ name }) => name);
  }

  readonly containers: Engine['containers'] = {
    list: async (query) => {
      await turn();
      return this.everything.filter(({ labels }) => isSelected(labels, query?.filters)).map(summaryOf);
    },
    inspect: async (ref) => {
      await turn();
      return this.#find(ref);
    },
    create: async (request, options) => {
      await turn();
      return { id: this.#create(request, options?.name ?? ''), warnings: [] };
    },
    start: async (ref) => {
      await turn();
      return this.#start(this.#find(ref));
    },
    stop: async (ref) => {
      await turn();
      return this.#end(this.#find(ref), 0);
    },
    rename: async (ref, name) => {
      await turn();
      const found = this.#find(ref);
      this.#refuseTaken(name);
      this.#put({ ...found, name });
    },
    remove: async (ref) => {
      await turn();
      const found = this.#find(ref);
      this.#end(found, 137);
      this.#containers.delete(found.id);
      this.#changed();
    },
    logs: async () => ({ text: 'words\n', truncated: false }),
    restart: notPlayed,
    kill: notPlayed,
    wait: notPlayed,
    exec: notPlayed,
    readArchive: notPlayed,
    writeArchive: notPlayed,
    update: notPlayed,
  };

  readonly networks: Engine['networks'] = {
    list: async (filters) => {
      await turn();
      return [...this.#networks.values()].filter(({ labels }) => isSelected(labels, filters));
    },
    inspect: async (ref) => {
      await turn();
      const found = this.#network(ref);
      const members = this.everything
        .filter(({ state, networkMode }) => state.running && networkMode === found.name)
        .map(({ id, name }) => [
          id,
          { name, endpointId: id, mac: undefined, ipv4: undefined, ipv6: undefined },
        ]);
      return { ...found, members: Object.fromEntries(members) };
    },
    create: async ({ Name: name, Labels: labels = {} }) => {
      await turn();
      if (this.networkNames.includes(name))
        fail('ENGINE_CONFLICT', `network with name ${name} already exists`);
      const id = newId();
      const common = {
        driver: 'bridge',
        scope: 'local',
        internal: false,
        ipv6: false,
        options: {},
        pools: [],
      };
      this.#networks.set(id, { id, name, labels, ...common });
      this.#changed();
      return id;
    },
    remove: async (ref) => {
      await turn();
      this.#networks.delete(this.#network(ref).id);
      this.#changed();
    },
    connect: notPlayed,
    disconnect: notPlayed,
  };

  readonly images: Engine['images'] = {
    pull: async (ref) => {
      await turn();
      if (ref.includes('absent')) fail('ENGINE_PULL_FAILED', `cannot pull image ${ref}: not found`);
    },
    inspect: async (ref) => {
      await turn();
      const common = {
        tags: [ref],
        digests: [],
        os: 'linux',
        architecture: 'amd64',
        sizeBytes: 1,
        user: '7',
      };
      return {
        ...common,
        id: `sha256:${ref}`,
        volumes: this.#options.volumes ?? [],
        exposedPorts: [],
        env: [],
        entrypoint: [],
        command: [],
        labels: {},
        hasHealthCheck: false,
      };
    },
    list: notPlayed,
    import: notPlayed,
    tag: notPlayed,
    remove: notPlayed,
  };

  readonly events: Engine['events'] = {
    open: async (_, options) => {
      await turn();
      const stream = new Stream();
      this.#streams.add(stream);
      options?.signal?.addEventListener('abort', () => {
        this.#streams.delete(stream);
        stream[Symbol.dispose]();
      });
      return stream;
    },
    past: async () => [],
  };

  readonly system: Engine['system'] = {
    ping: async () => ({ apiVersion: '1.45', engineTime: Date.now() }),
    info: () => notPlayed(),
    version: notPlayed,
    diskUsage: notPlayed,
    spokenVersion: async () => ({ major: 1, minor: 45 }),
  };

  readonly volumes: Engine['volumes'] = {
    list: async () => [],
    inspect: notPlayed,
    create: notPlayed,
    remove: notPlayed,
  };

  #find(ref: string): ContainerDetails {
    const found = this.#containers.get(ref) ?? this.everything.find(({ name }) => name === ref);
    return found ?? fail('ENGINE_NOT_FOUND', `No such container: ${ref}`);
  }

  #network(ref: string): Network {
    const found = this.#networks.get(ref) ?? [...this.#networks.values()].find(({ name }) => name === ref);
    return found ?? fail('ENGINE_NOT_FOUND', `No such network: ${ref}`);
  }

  #refuseTaken(name: string): void {
    if (this.everything.some((other) => other.name === name))
      fail('ENGINE_NAME_IN_USE', `The container name "/${name}" is already in use`);
  }

  #create(request: ContainerCreateRequest, name: string): string {
    this.#refuseTaken(name);
    const id = newId();
    const { HostConfig: hostConfig = {}, NetworkingConfig: _, ...config } = request;
    const networkMode = hostConfig.NetworkMode ?? 'default';
    if (networkMode !== 'default') this.#network(networkMode);
    this.#put({
      id,
      name,
      createdAt: new Date().toISOString(),
      image: request.Image ?? '',
      imageId: `sha256:${request.Image}`,
      state: { ...asleep, status: 'created' },
      restartCount: 0,
      labels: request.Labels ?? {},
      networkMode,
      tty: false,
      attachments: {},
      mounts: [],
      ports: [],
      config,
      hostConfig,
    });
    return id;
  }

  #start(found: ContainerDetails): boolean {
    if (found.state.running) return false;
    const [program] = found.config.Cmd ?? [];
    const refused = [...this.refuses].some((lease) => found.name.includes(lease));
    if (program === 'nothing' || refused)
      fail('ENGINE_BAD_REQUEST', 'exec: "nothing": executable file not found');
    for (const { Type: type, Source: source = '' } of found.hostConfig.Mounts ?? [])
      if (this.#options.findsBinds === true && type === 'bind' && !existsSync(source))
        fail('ENGINE_BAD_REQUEST', `bind source path does not exist: ${source}`);
    const running = { ...asleep, status: 'running', running: true, pid: 1, startedAt: 'now' } as const;
    this.#put({ ...found, state: running });
    this.#tell('start', found);
    if (program === 'ends') this.#end(this.#find(found.id), 1);
    return true;
  }

  #end(found: ContainerDetails, exitCode: number): boolean {
    if (!found.state.running) return false;
    this.#put({ ...found, state: ended(found.state, exitCode) });
    this.#tell('die', found);
    return true;
  }

  #tell(action: string, { id, name, labels }: ContainerDetails): void {
    this.#events += 1;
    const attributes = { ...labels, name };
    const event = { type: 'container', action, id, attributes, at: Date.now(), key: `${this.#events}` };
    for (const stream of this.#streams) stream.send(event);
  }
}

const newId = (): string => randomBytes(32).toString('hex');

const ended = (state: ContainerDetails['state'], exitCode: number): ContainerDetails['state'] =>
  state.running ? { ...state, status: 'exited', running: false, pid: 0, exitCode } : state;

const asleep = {
  running: false,
  paused: false,
  restarting: false,
  oomKilled: false,
  pid: 0,
  exitCode: 0,
  error: undefined,
  startedAt: undefined,
  finishedAt: undefined,
  health: undefined,
} as const;

const summaryOf = (container: ContainerDetails): ContainerSummary => {
  const { id, name, image, imageId, state, labels, networkMode } = container;
  return {
    id,
    names: [name],
    image,
    imageId,
    createdAt: 0,
    status: state.status,
    statusText: '',
    labels,
    networkMode,
    attachments: {},
  };
};
