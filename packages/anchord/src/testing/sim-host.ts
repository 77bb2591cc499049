/**
 * A Docker host in memory, as far as the life of containers goes: who joins whose namespace, which starts fail, what a
 * restart in place does. Time passes at once. Between any two calls somebody else may do something, or we may die.
 */
import {
  type ContainerDetails,
  type ContainerSummary,
  type EngineErrorCode,
  engineErrors,
  isForWantOfNetworkOwner,
} from '@berth/engine';
import type { Clock } from '@berth/service';
import type { RepairDoor } from '../lifecycle/repairs.ts';

type CreateRequest = Parameters<RepairDoor['containers']['create']>[0];

export interface SimContainer {
  readonly id: string;
  name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: string;
  readonly imageId: string;
  readonly env: readonly string[];
  readonly policy: string;
  status: 'created' | 'running' | 'exited';
  startedAt: string | undefined;
  error: string | undefined;
  /** Which namespace it really sits in. */
  namespace: string | undefined;
}

/** What becomes of one call. */
export type Fate = 'done' | 'lost request' | 'lost answer' | 'death before' | 'death after';

const fail = (code: EngineErrorCode, message: string): never => {
  throw engineErrors.error(code, message);
};

const never = (): Promise<never> => new Promise<never>(() => undefined);

export class SimHost {
  readonly all = new Map<string, SimContainer>();
  /** What anchors did to containers that were there before: call and name. */
  readonly deeds: { readonly call: string; readonly container: SimContainer }[] = [];
  calls = 0;
  /** The kinds of calls that each anchor has made. */
  readonly calledBy = new Map<string, Set<string>>();
  onCall: (call: string, number: number) => Fate = () => 'done';
  /** What Docker tells of containers, to whoever listens. */
  onEvent: (action: string, container: SimContainer) => void = () => undefined;
  /** Passes at once what is waited for, unless another one is given. */
  readonly clock: Clock;
  #made = 0;
  #nowMs = 0;
  #starts = 0;

  readonly #hurried: Clock = {
    now: () => Date.UTC(2026, 0, 1) + this.#nowMs,
    monotonic: () => this.#nowMs,
    after: (ms, callback) => {
      let cancelled = false;
      queueMicrotask(() => {
        if (cancelled) return;
        this.#nowMs += ms;
        callback();
      });
      const cancel = (): void => {
        cancelled = true;
      };
      return { cancel };
    },
  };

  constructor(clock?: Clock) {
    this.clock = clock ?? this.#hurried;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  /** The engine as one anchor sees it. One that has died never hears of anything again. */
  door(actor = ''): RepairDoor & { readonly events: { past(): Promise<never[]> } } {
    let dead = false;
    const called = this.calledBy.get(actor) ?? new Set();
    this.calledBy.set(actor, called);
    const call = async <Result>(name: string, work: () => Result): Promise<Result> => {
      if (dead) return await never();
      this.calls += 1;
      called.add(name);
      const fate = this.onCall(name, this.calls);
      if (fate === 'death before') dead = true;
      if (dead) return await never();
      if (fate === 'lost request') fail('ENGINE_CONNECTION_LOST', 'no answer');
      const result = work();
      if (fate === 'death after') dead = true;
      if (dead) return await never();
      if (fate === 'lost answer') fail('ENGINE_CONNECTION_LOST', 'no answer');
      return result;
    };
    const deed = (name: string, ref: string, work: (container: SimContainer) => void) =>
      call(name, () => {
        const container = this.find(ref);
        this.deeds.push({ call: name, container });
        work(container);
      });
    return {
      clock: this.clock,
      containers: {
        list: (query) => call('list', () => this.#list(query?.filters?.['label'] ?? [])),
        inspect: (ref) => call('inspect', () => detailsOf(this.find(ref))),
        create: (request, options) =>
          call('create', () => ({ id: this.#create(request, options?.name ?? '').id, warnings: [] })),
        start: async (ref) => {
          await deed('start', ref, (container) => this.start(container));
          return true;
        },
        stop: async (ref) => {
          await deed('stop', ref, (container) => this.stop(container));
          return true;
        },
        restart: (ref) => deed('restart', ref, (container) => this.restart(container)),
        rename: (ref, name) => deed('rename', ref, (container) => this.rename(container, name)),
        remove: (ref) => deed('remove', ref, (container) => this.remove(container)),
      },
      networks: { connect: () => Promise.resolve() },
      system: { spokenVersion: () => Promise.resolve({ major: 1, minor: 41 }) },
      events: { past: () => Promise.resolve([]) },
    };
  }

  find(ref: string): SimContainer {
    return this.seek(ref) ?? fail('ENGINE_NOT_FOUND', `No such container: ${ref}`);
  }

  seek(ref: string): SimContainer | undefined {
    const found = this.all.get(ref) ?? this.named(ref);
    return found ?? [...this.all.values()].find(({ id }) => ref.length >= 12 && id.startsWith(ref));
  }

  named(name: string): SimContainer | undefined {
    return [...this.all.values()].find((one) => one.name === name);
  }

  make(name: string, more: Partial<SimContainer> = {}): SimContainer {
    if (this.named(name) !== undefined) fail('ENGINE_NAME_IN_USE', `the name ${name} is already in use`);
    this.#made += 1;
    const id = this.#made.toString(16).padStart(12, '0').padEnd(64, 'a');
    const asked = more.mode ?? 'bridge';
    const owner = asked.startsWith('container:') ? this.seek(asked.slice('container:'.length)) : undefined;
    const container: SimContainer = {
      labels: {},
      imageId: 'sha256:1',
      env: [],
      policy: 'unless-stopped',
      status: 'created',
      startedAt: undefined,
      error: undefined,
      namespace: undefined,
      ...more,
      id,
      name,
      mode: owner === undefined ? asked : `container:${owner.id}`,
    };
    this.all.set(id, container);
    this.onEvent('create', container);
    return container;
  }

  start(container: SimContainer): void {
    if (container.status === 'running') return;
    const refuse = (code: EngineErrorCode, message: string): never => {
      container.error = message;
      return fail(code, message);
    };
    const reference = /^container:(.*)$/.exec(container.mode)?.[1];
    const owner = reference === undefined ? undefined : this.seek(reference);
    if (reference !== undefined && owner === undefined)
      refuse('ENGINE_NOT_FOUND', `No such container: ${reference}`);
    if (owner !== undefined && owner.status !== 'running')
      refuse('ENGINE_CONFLICT', `cannot join network of a non running container: ${owner.id}`);
    this.#starts += 1;
    container.status = 'running';
    container.error = undefined;
    container.startedAt = `2026-01-01T00:00:00.${String(this.#starts).padStart(9, '0')}Z`;
    container.namespace = owner?.namespace ?? `${container.id} ${this.#starts}`;
    this.onEvent('start', container);
  }

  stop(container: SimContainer): void {
    if (container.status !== 'running') return;
    container.status = 'exited';
    container.namespace = undefined;
    this.onEvent('die', container);
  }

  restart(container: SimContainer): void {
    this.stop(container);
    this.start(container);
  }

  rename(container: SimContainer, name: string): void {
    const holder = this.named(name);
    if (holder !== undefined && holder !== container)
      fail('ENGINE_NAME_IN_USE', `the name ${name} is already in use`);
    container.name = name;
    this.onEvent('rename', container);
  }

  /** By force. */
  remove(container: SimContainer): void {
    this.stop(container);
    if (this.all.delete(container.id)) this.onEvent('destroy', container);
  }

  #list(labels: readonly string[]): ContainerSummary[] {
    return [...this.all.values()]
      .filter((one) =>
        labels.every(
          (wanted) => `${wanted.split('=')[0]}=${one.labels[wanted.split('=')[0] ?? '']}` === wanted,
        ),
      )
      .map(summaryOf);
  }

  #create(request: CreateRequest, name: string): SimContainer {
    return this.make(name, {
      labels: request.Labels ?? {},
      mode: request.HostConfig?.NetworkMode ?? 'bridge',
      imageId: request.Image ?? '',
      env: request.Env ?? [],
      policy: request.HostConfig?.RestartPolicy?.Name ?? 'no',
    });
  }
}

const summaryOf = ({ id, name, labels, mode, imageId, status }: SimContainer): ContainerSummary => ({
  id,
  names: [name],
  image: imageId,
  imageId,
  createdAt: 0,
  status,
  statusText: '',
  labels,
  networkMode: mode,
  attachments: {},
});

const endpoint = {
  networkId: 'n',
  endpointId: 'e',
  ipv4: undefined,
  ipv6: undefined,
  mac: undefined,
  gateway: undefined,
  aliases: [],
  links: [],
  driverOptions: {},
  gatewayPriority: undefined,
  fixedIpv4: undefined,
  fixedIpv6: undefined,
  linkLocalAddresses: [],
};

function detailsOf({
  id,
  name,
  labels,
  mode,
  imageId,
  status,
  startedAt,
  error,
  env,
  policy,
}: SimContainer): ContainerDetails {
  return {
    id,
    name,
    createdAt: '2026-01-01T00:00:00Z',
    image: imageId,
    imageId,
    state: {
      status,
      running: status === 'running',
      paused: false,
      restarting: false,
      oomKilled: false,
      pid: 1,
      exitCode: isForWantOfNetworkOwner(error) ? 128 : 0,
      error,
      startedAt,
      finishedAt: undefined,
      health: undefined,
    },
    restartCount: 0,
    labels,
    networkMode: mode,
    tty: false,
    attachments: mode.startsWith('container:') ? {} : { [mode]: endpoint },
    mounts: [],
    ports: [],
    config: { Image: imageId, Env: [...env], Cmd: ['run'], Labels: { ...labels } },
    hostConfig: { NetworkMode: mode, RestartPolicy: { Name: policy as 'no' } },
  };
}
