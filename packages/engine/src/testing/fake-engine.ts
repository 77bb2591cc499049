import { type Clock, sleep } from '@berth/service';
import type { ContainerCreateRequest } from '@docker/node-sdk';
import type { ContainerDetails, ContainerSummary, Created } from '../containers/index.ts';
import { type EngineErrorCode, engineErrors } from '../errors.ts';
import type { RecreateDoor } from '../recreate/index.ts';
import { aContainer, anAttachment, fullId } from './a-container.ts';

/** What happens to one call: it never arrives, its answer is lost, or it is carried out after its client gave it up. */
export type Mishap = 'unreachable' | 'lost request' | 'lost answer' | 'late' | undefined;

const LATE_MS = 1000;

const fail = (code: EngineErrorCode, message: string): never => {
  throw engineErrors.error(code, message);
};

/**
 * As much of an engine as re-creating containers can see, in memory: for trying what goes wrong in thousands of orders. It
 * takes the same tests as the real one. A command "exit 3" ends at once, and one that begins with a slash does not start.
 */
export class FakeEngine implements RecreateDoor {
  readonly clock: Clock;
  readonly containers: RecreateDoor['containers'];
  readonly networks: RecreateDoor['networks'];
  /** Decides about each call that changes something. */
  mishap: (call: string) => Mishap = () => undefined;
  /** How long each way of a call takes. */
  latencyMs: () => number = () => 0;
  /** Names of images, and what they mean by now. */
  readonly images = new Map<string, string>();
  readonly #all = new Map<string, ContainerDetails>();
  /** Names of containers that are being made and cannot be seen yet. */
  readonly #reserved = new Set<string>();
  #made = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.containers = {
      inspect: (ref) => this.#do('inspect', () => this.#find(ref)),
      list: (query) => this.#do('list', () => this.#list(query?.filters?.['label'] ?? [])),
      create: (request, options) =>
        this.#do('create', () => this.#create(request, options?.name ?? ''), options?.name),
      rename: (ref, name) => this.#do('rename', () => this.#rename(this.#find(ref), name)),
      start: (ref) => this.#do('start', () => this.#start(this.#find(ref))),
      stop: (ref) => this.#do('stop', () => this.#stop(this.#find(ref))),
      remove: (ref) => this.#do('remove', () => void this.#all.delete(this.#find(ref).id)),
    };
    this.networks = {
      connect: (network, ref) =>
        this.#do('connect', () => {
          const found = this.#find(ref);
          const attachments = { ...found.attachments, [network]: anAttachment() };
          this.#all.set(found.id, { ...found, attachments });
        }),
    };
  }

  get everything(): readonly ContainerDetails[] {
    return [...this.#all.values()];
  }

  async #do<Result>(call: string, work: () => Result, name?: string): Promise<Result> {
    await this.#travel();
    const mishap = this.mishap(call);
    if (mishap === 'unreachable') fail('ENGINE_UNREACHABLE', 'no connection');
    if (mishap === 'lost request') fail('ENGINE_CONNECTION_LOST', 'no answer');
    if (mishap === 'late') {
      if (name !== undefined) this.#reserved.add(name);
      this.clock.after(LATE_MS, () => {
        if (name !== undefined) this.#reserved.delete(name);
        attempt(work);
      });
      fail('ENGINE_CONNECTION_LOST', 'no answer');
    }
    const result = work();
    await this.#travel();
    return mishap === 'lost answer' ? fail('ENGINE_CONNECTION_LOST', 'no answer') : result;
  }

  async #travel(): Promise<void> {
    const ms = this.latencyMs();
    if (ms > 0) await sleep(this.clock, ms);
  }

  #find(ref: string): ContainerDetails {
    const found =
      this.#all.get(ref) ??
      this.everything.find(({ name }) => name === ref) ??
      this.everything.find(({ id }) => id.startsWith(ref));
    return found ?? fail('ENGINE_NOT_FOUND', `No such container: ${ref}`);
  }

  #list(labels: readonly string[]): ContainerSummary[] {
    return this.everything
      .filter((container) => labels.every((wanted) => wanted === labelled(container, wanted)))
      .map(({ id, name, labels: own, image, imageId, state, networkMode, attachments }) => ({
        id,
        names: [name],
        image,
        imageId,
        createdAt: 0,
        status: state.status,
        statusText: '',
        labels: own,
        networkMode,
        attachments,
      }));
  }

  #create(request: ContainerCreateRequest, name: string): Created {
    this.#refuseTaken(name);
    this.#made += 1;
    const id = fullId(this.#made.toString(16).padStart(12, 'c'));
    const networkMode = request.HostConfig?.NetworkMode ?? 'default';
    const own = Object.keys(request.NetworkingConfig?.EndpointsConfig ?? { bridge: {} });
    const { HostConfig: hostConfig = {}, NetworkingConfig: _, ...config } = request;
    this.#all.set(
      id,
      aContainer({
        id,
        name,
        image: request.Image ?? '',
        imageId: this.images.get(request.Image ?? '') ?? request.Image ?? '',
        labels: request.Labels ?? {},
        networkMode,
        config,
        hostConfig,
        attachments: Object.fromEntries(own.map((network) => [network, anAttachment()])),
        state: { ...aContainer().state, status: 'created', running: false, pid: 0, startedAt: undefined },
      }),
    );
    return { id, warnings: [] };
  }

  #refuseTaken(name: string): void {
    if (this.#reserved.has(name) || this.everything.some((other) => other.name === name))
      fail('ENGINE_NAME_IN_USE', `The container name "/${name}" is already in use`);
  }

  #rename(container: ContainerDetails, name: string): void {
    this.#refuseTaken(name);
    this.#all.set(container.id, { ...container, name });
  }

  #start(container: ContainerDetails): boolean {
    if (container.state.running) return false;
    const target = /^container:(.*)$/.exec(container.networkMode)?.[1];
    const command = container.config.Cmd ?? [];
    if (command[0]?.startsWith('/') === true) fail('ENGINE_BAD_REQUEST', 'exec: no such file or directory');
    if (target !== undefined && !this.#find(target).state.running)
      fail('ENGINE_CONFLICT', 'cannot join network of a non running container');
    const rival = this.everything.find(
      ({ id, state, config }) =>
        id !== container.id && state.running && portOf(config) === portOf(container.config),
    );
    if (rival !== undefined && portOf(container.config) !== '')
      fail('ENGINE_PORT_IN_USE', 'port is already allocated');
    const crashes = command.includes('exit 3');
    this.#all.set(container.id, {
      ...container,
      state: {
        ...container.state,
        status: crashes ? 'exited' : 'running',
        running: !crashes,
        exitCode: crashes ? 3 : 0,
        startedAt: `start ${this.clock.monotonic()}`,
      },
    });
    return true;
  }

  #stop(container: ContainerDetails): boolean {
    if (!container.state.running) return false;
    const state = { ...container.state, status: 'exited' as const, running: false };
    this.#all.set(container.id, { ...container, state });
    return true;
  }
}

/** Nobody hears any more how it ends. */
function attempt(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!engineErrors.is(error)) throw error;
  }
}

const labelled = ({ labels }: ContainerDetails, wanted: string): string => {
  const [key = ''] = wanted.split('=');
  return `${key}=${labels[key]}`;
};

const portOf = (config: ContainerDetails['config']): string => Object.keys(config.ExposedPorts ?? {}).join();
