/** Everything around one docker-backend on a lab host: a registry to pull from, a desk for its callbacks, a client for its API. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { FileSystem } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { removeLabelled } from '../host/labelled.ts';
import { busybox } from '../images/busybox.ts';
import { ensureImage } from '../images/image.ts';
import { type Registry, registryAddress, startRegistry } from '../images/registry.ts';
import type { Client } from '../network/client.ts';
import { accepted, type Item, type NewLease, ProviderClient } from './client.ts';
import { CallbackDesk } from './desk.ts';
import { BackendProgram, backendMain, backendSecret } from './program.ts';
import type { Instance } from './wire.ts';

export interface ProviderOptions {
  /** Keys of the backend's configuration beside the usual ones of a lab. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The main module of the backend, if not that of the sources. */
  readonly entry?: string;
  /** Where the backend keeps data volumes; it then sees the host's mounts. */
  readonly disk?: FileSystem;
}

/** Tiers without disk, addressed by their names. */
const profiles = {
  small: { cpu_cores: 0.25, memory_mb: 64, disk_mb: 0 },
  large: { cpu_cores: 8, memory_mb: 8192, disk_mb: 0 },
};

export class Provider implements AsyncDisposable {
  readonly id = `p${randomBytes(4).toString('hex')}`;
  readonly host: Host;
  readonly registry: Registry;
  readonly desk: CallbackDesk;
  readonly uuid = randomUUID();
  /** A small image that each pull finds in the registry. */
  readonly image: string;
  readonly #options: ProviderOptions;
  #program: BackendProgram | undefined;
  #client: ProviderClient | undefined;

  static async open(host: Host, options: ProviderOptions = {}): Promise<Provider> {
    const registry = await startRegistry(host);
    await registry.push(await ensureImage(host, busybox, () => undefined), 'tenant');
    const desk = await CallbackDesk.open({ secret: backendSecret });
    const provider = new Provider(host, registry, desk, options);
    try {
      await provider.#start();
      return provider;
    } catch (error) {
      await provider[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(host: Host, registry: Registry, desk: CallbackDesk, options: ProviderOptions) {
    this.host = host;
    this.registry = registry;
    this.desk = desk;
    this.image = `${registryAddress}/tenant:latest`;
    this.#options = options;
  }

  async #start(): Promise<void> {
    const { disk } = this.#options;
    this.#program = await BackendProgram.start({
      dockerSocket: disk === undefined ? this.host.socketPath : '/run/docker.sock',
      ...(disk !== undefined && { mountsOf: this.host }),
      config: {
        name: this.id,
        host_address: this.host.addresses.v4,
        sku_profiles: profiles,
        allowed_registries: [registryAddress],
        startup_verify_duration: '1s',
        container_stop_timeout: '1s',
        ...(disk !== undefined && { volume_data_path: disk.path }),
        ...this.#options.config,
      },
      ...(this.#options.env && { env: this.#options.env }),
      ...(this.#options.entry !== undefined && { entry: this.#options.entry }),
    });
    this.#connect();
  }

  #connect(): void {
    this.#client?.close();
    this.#client = new ProviderClient(this.program.port, backendSecret, this.desk.url);
  }

  get program(): BackendProgram {
    if (this.#program === undefined) throw new Error('the backend was not started');
    return this.#program;
  }

  get client(): ProviderClient {
    if (this.#client === undefined) throw new Error('the backend was not started');
    return this.#client;
  }

  /** Ends the backend with this signal, and starts it again with the same stores; says its exit code. */
  async restart(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const code = await this.program.stop(signal);
    await this.run();
    return code;
  }

  /** Starts the backend that was stopped. */
  async run(): Promise<void> {
    await this.program.run();
    this.#connect();
  }

  /** Runs another command of the program, with the configuration of the backend. */
  command(...args: readonly string[]) {
    const { entry = backendMain } = this.#options;
    return this.host.exec([process.execPath, entry, ...args, '-config', this.program.configFile]);
  }

  /** What the chain would say of a lease that begins. */
  lease(items: readonly Item[] = [{ sku: 'small', quantity: 1, service_name: 'web' }]): NewLease {
    const tenant = `manifest1${this.id}`;
    return { lease_uuid: randomUUID(), tenant, provider_uuid: this.uuid, items };
  }

  /** Provisions and waits until the backend has said that it runs. */
  async provisioned(lease: NewLease, manifest: unknown): Promise<NewLease> {
    accepted(await this.client.provision(lease, manifest));
    return await this.#started(lease);
  }

  /** Restores what was kept of another lease, and waits until the backend has said that it runs. */
  async restored(lease: NewLease, from: string): Promise<NewLease> {
    accepted(await this.client.restore(lease, from));
    return await this.#started(lease);
  }

  async #started(lease: NewLease): Promise<NewLease> {
    const { status, error } = await this.desk.next(lease.lease_uuid);
    if (status !== 'success')
      throw new Error(`the lease did not start: ${status} ${error}\n${this.program.output}`);
    return lease;
  }

  /** A service that answers each request for a page with this text. */
  page(text: string, more: Readonly<Record<string, unknown>> = {}) {
    const serve =
      'mkdir /tmp/www && echo "$TEXT" > /tmp/www/index.html && echo "serving $TEXT" && exec httpd -f -p 8080 -h /tmp/www';
    return {
      image: this.image,
      command: ['sh', '-c', serve],
      env: { TEXT: text },
      ports: { '8080/tcp': {} },
      init: true,
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.#program?.[Symbol.asyncDispose]();
    await this.desk[Symbol.asyncDispose]();
    await removeLabelled(this.host, `fred.backend_name=${this.id}`);
  }
}

/** The page that a container serves, as a client of the lab gets it over its published port. */
export async function pageOf(client: Client, host: string, instance: Instance | undefined): Promise<string> {
  const port = Number(instance?.ports?.['8080/tcp']?.host_port);
  const socket = await client.sockets.tcp({ host, port, timeoutMs: 5000 });
  try {
    socket.setTimeout(5000, () => socket.destroy(new Error(`${host}:${port} does not answer`)));
    socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text.split('\r\n\r\n').slice(1).join('\r\n\r\n').trim();
  } finally {
    socket.destroy();
  }
}
