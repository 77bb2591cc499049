/**
 * A backend on a real engine of the lab, asked over HTTP as the daemon asks it, with somebody who is called back. It runs in this
 * process, where a test looks into it and stands in its doors; `Provider` of the lab knows a program from outside, by its contract.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ContainerDetails, connectEngine, type Engine, engineErrors } from '@berth/engine';
import type { Host } from '@berth/lab';
import { NamespaceSockets, registryAddress, removeLabelled } from '@berth/lab';
import { FaultProxy } from '@berth/lab/fault-proxy';
import { backendSecret, storesIn } from '@berth/lab/provider';
import { lab, waitFor } from '@berth/lab/testing';
import { Scope } from '@berth/service';
import type { Doors } from '../../backend.ts';
import { label } from '../../names/index.ts';
import { callSigned, type Reply } from '../http-call.ts';
import { CallbackReceiver, type Told } from './callback-receiver.ts';
import type { CrashDoors } from './crash-doors.ts';
import { type ImageForm, imageOf, tenantImages } from './images.ts';
import { Program } from './program.ts';

export interface RigOptions {
  /** Keys of the configuration file that differ from the rig's own. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Put a proxy before the engine that can do harm. */
  readonly proxy?: boolean;
  readonly doors?: Doors;
  /** Do not start the program yet. */
  readonly later?: boolean;
}

interface Item {
  readonly sku?: string;
  readonly quantity?: number;
  readonly service_name?: string;
  readonly custom_domain?: string;
}

export type Services = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface ProvisionOptions {
  readonly uuid?: string;
  readonly tenant?: string;
  /** One item of the smallest SKU for each service, unless said otherwise. */
  readonly items?: readonly Item[];
  readonly callbackUrl?: string;
}

/** What `GET /provisions/{lease}` says. */
export interface ProvisionInfo {
  readonly status: string;
  readonly fail_count: number;
  readonly reason?: string;
  readonly message?: string;
  readonly quantity: number;
  readonly items: readonly Required<Item>[];
  readonly service_images?: Readonly<Record<string, string>>;
}

export class Rig implements AsyncDisposable {
  readonly host: Host;
  readonly name = `rig-${randomUUID().slice(0, 8)}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-rig-'));
  readonly receiver: CallbackReceiver;
  readonly engine: Engine;
  readonly #scope: Scope;
  readonly #options: RigOptions;
  #program: Program | undefined;
  /** The port of a program in a process of its own, which whoever has started it ends. */
  #port: number | undefined;
  #proxy: FaultProxy | undefined;
  #callers = new AbortController();
  #sockets: NamespaceSockets | undefined;

  private constructor(host: Host, receiver: CallbackReceiver, options: RigOptions) {
    this.host = host;
    this.receiver = receiver;
    this.#options = options;
    this.#scope = new Scope(this.name, (error) => {
      throw error;
    });
    const endpoint = { kind: 'unix', socketPath: host.socketPath } as const;
    this.engine = connectEngine(this.#scope, { endpoint, env: {} });
  }

  static async open(options: RigOptions = {}): Promise<Rig> {
    const host = (await lab()).host();
    await tenantImages.ensure(host);
    const rig = new Rig(host, await CallbackReceiver.start(backendSecret), options);
    if (options.proxy === true)
      rig.#proxy = await FaultProxy.start(
        { socketPath: host.socketPath },
        { socketPath: join(rig.folder, 'engine.sock') },
      );
    rig.configure();
    if (options.later !== true) await rig.start();
    return rig;
  }

  get configFile(): string {
    return join(this.folder, 'backend.yaml');
  }

  /** Writes the configuration; what is given beats what the rig was opened with. */
  configure(more: Readonly<Record<string, unknown>> = {}): void {
    const config = {
      name: this.name,
      listen_addr: '127.0.0.1:0',
      docker_host: `unix://${this.#proxy === undefined ? this.host.socketPath : join(this.folder, 'engine.sock')}`,
      callback_secret: backendSecret,
      host_address: this.host.addresses.v4,
      total_cpu_cores: 64,
      total_memory_mb: 65536,
      sku_profiles: {
        small: { cpu_cores: 0.5, memory_mb: 64 },
        large: { cpu_cores: 1, memory_mb: 128 },
      },
      allowed_registries: [registryAddress],
      startup_verify_duration: '300ms',
      container_stop_timeout: '10s',
      ...storesIn(this.folder),
      ...this.#options.config,
      ...more,
    };
    this.config = config;
    // JSON is YAML, too.
    writeFileSync(this.configFile, JSON.stringify(config));
  }

  /** What was configured last. */
  config: Readonly<Record<string, unknown>> = {};

  /** What stands before the engine. */
  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error('this rig was opened without a proxy');
    return this.#proxy;
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('the program is not running');
    return this.#program;
  }

  async start(doors: Doors | CrashDoors | undefined = this.#options.doors): Promise<void> {
    this.#program = await Program.start(this.configFile, doors);
  }

  /** Asks another program from now on, one that runs with the configuration of this rig. */
  attach(port: number): void {
    this.#port = port;
  }

  /** The callers of a program that has died are gone as well; what is left of it is cleared away. */
  async bury(): Promise<void> {
    this.hangUp();
    await this.stop();
  }

  /** Everybody who waits for an answer gives up. */
  hangUp(): void {
    this.#callers.abort();
    this.#callers = new AbortController();
  }

  /** Ends the program in good order. */
  async stop(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    this.#program = undefined;
  }

  call(method: string, target: string, body?: unknown): Promise<Reply> {
    const { signal } = this.#callers;
    return callSigned({ port: this.#port ?? this.program.port, tls: false }, backendSecret, {
      method,
      target,
      body,
      options: { signal },
    });
  }

  /** Asks, and expects that status. */
  async ask(expected: number, method: string, target: string, body?: unknown): Promise<unknown> {
    const reply = await this.call(method, target, body);
    if (reply.status !== expected)
      throw new Error(`${method} ${target} answered ${reply.status}, not ${expected}: ${reply.text}`);
    return reply.body;
  }

  provisionBody(services: Services, options: ProvisionOptions = {}): Readonly<Record<string, unknown>> {
    const { uuid = randomUUID(), tenant = `${this.name}-tenant`, callbackUrl = this.receiver.url } = options;
    const items = (options.items ?? Object.keys(services).map((service_name) => ({ service_name }))).map(
      (item) => ({ sku: 'small', quantity: 1, ...item }),
    );
    return {
      lease_uuid: uuid,
      tenant,
      provider_uuid: '0190aaaa-0000-7000-8000-000000000001',
      items,
      callback_url: callbackUrl,
      payload: payloadOf(services),
    };
  }

  /** Asks for a lease; its id. */
  async provision(services: Services, options: ProvisionOptions = {}): Promise<string> {
    const body = this.provisionBody(services, options);
    await this.ask(202, 'POST', '/provision', body);
    return String(body['lease_uuid']);
  }

  /** Asks for a lease and waits until it is ready. */
  async running(services: Services = { web: service() }, options: ProvisionOptions = {}): Promise<string> {
    const uuid = await this.provision(services, options);
    const told = await this.receiver.wait(uuid);
    if (told.status !== 'success') throw new Error(`lease ${uuid} did not start: ${JSON.stringify(told)}`);
    return uuid;
  }

  async update(uuid: string, services: Services): Promise<void> {
    await this.ask(202, 'POST', '/update', {
      lease_uuid: uuid,
      callback_url: this.receiver.url,
      payload: payloadOf(services),
    });
  }

  async restart(uuid: string): Promise<void> {
    await this.ask(202, 'POST', '/restart', { lease_uuid: uuid, callback_url: this.receiver.url });
  }

  async deprovision(uuid: string): Promise<void> {
    await this.ask(200, 'POST', '/deprovision', { lease_uuid: uuid });
  }

  /** The next callback of the lease after those that have come. */
  async next(uuid: string, act: () => Promise<unknown>, timeoutMs?: number): Promise<Told> {
    const before = this.receiver.of(uuid).length;
    await act();
    return await this.receiver.wait(uuid, before + 1, timeoutMs);
  }

  async info(uuid: string): Promise<ProvisionInfo | undefined> {
    const { status, body, text } = await this.call('GET', `/provisions/${uuid}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`provision info answered ${status}: ${text}`);
    return body as ProvisionInfo;
  }

  async until(uuid: string, status: string | undefined, timeoutMs = 60_000): Promise<void> {
    let last: string | undefined;
    await waitFor(
      `status ${status} of lease ${uuid}`,
      async () => {
        last = (await this.info(uuid))?.status;
        return last === status;
      },
      { timeoutMs, evidence: () => `it is ${last}` },
    );
  }

  /** Every container of this backend, or of one lease of it, as the engine shows them, by name. */
  async containers(uuid?: string): Promise<readonly ContainerDetails[]> {
    const mark = [
      `${label.backendName}=${this.name}`,
      ...(uuid === undefined ? [] : [`${label.lease}=${uuid}`]),
    ];
    const found = await this.engine.containers.list({ all: true, filters: { label: mark } });
    const details = await Promise.all(found.map(({ id }) => this.#stillThere(id)));
    return details.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Nothing when it went between the list and the question. */
  async #stillThere(id: string): Promise<readonly ContainerDetails[]> {
    try {
      return [await this.engine.containers.inspect(id)];
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return [];
      throw error;
    }
  }

  /** The only container of the lease. */
  async container(uuid: string): Promise<ContainerDetails> {
    const [only, ...others] = await this.containers(uuid);
    if (only === undefined || others.length > 0)
      throw new Error(
        `lease ${uuid} has ${others.length + (only === undefined ? 0 : 1)} containers, not one`,
      );
    return only;
  }

  async networks(): Promise<readonly string[]> {
    const found = await this.engine.networks.list({ label: [`${label.backendName}=${this.name}`] });
    return found.map(({ name }) => name).sort();
  }

  /** Runs a program in a container of a lease; what it wrote, whether it succeeded or not. */
  async inside(
    id: string,
    ...argv: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string }> {
    const { exitCode, stdout, stderr } = await this.engine.containers.exec(id, argv);
    return { code: exitCode, out: (stdout + stderr).trim() };
  }

  /** What is answered on a port of the host itself to the simplest of requests. */
  async fetch(port: number, path = '/', host = '127.0.0.1'): Promise<string> {
    this.#sockets ??= new NamespaceSockets(this.host.namespace);
    const socket = await this.#sockets.tcp({ host, port });
    socket.end(`GET ${path} HTTP/1.0\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8').split('\r\n\r\n').slice(1).join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#proxy?.clear();
    await this.stop();
    await this.receiver[Symbol.asyncDispose]();
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.#sockets?.[Symbol.asyncDispose]();
    await removeLabelled(
      this.host,
      `${label.backendName}=${this.name}`,
      `fred.image_inspection=${this.name}`,
    );
    await this.#scope.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const payloadOf = (services: Services): string =>
  Buffer.from(JSON.stringify({ services })).toString('base64');

/** A service of a manifest: it stays, and ends at once when told to. */
export const service = (more: Readonly<Record<string, unknown>> = {}, form: ImageForm = 'plain') => ({
  image: imageOf(form),
  ...more,
});

/** A service that does this, in a shell. */
export const script = (line: string, more: Readonly<Record<string, unknown>> = {}) =>
  service({ command: ['sh', '-c', line], ...more });

/** The line of a script that stays, and ends at once when told to. */
export const stays = "trap 'exit 0' TERM; sleep 3600 & wait";
