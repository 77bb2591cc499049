/** The whole program on a disk that can lose its power: volumes and stores lie on it, the engine in memory lies elsewhere. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Doors } from '../../backend.ts';
import { callSigned, type Reply } from '../http-call.ts';
import type { MemoryEngine } from '../memory-engine.ts';
import { CallbackReceiver } from '../rig/callback-receiver.ts';
import { Program } from '../rig/program.ts';
import { sizeMb } from './promises.ts';

const secret = 'a secret of the tests, thirty-two characters long';

/** Keys of the configuration that differ in the course of a life. */
export type Settings = Readonly<Record<string, unknown>>;

export interface PowerHostOptions {
  /** Of the disk with the volumes. */
  readonly kind: string;
  readonly volumeDisk: string;
  /** May be the same. */
  readonly storeDisk: string;
  readonly configFile: string;
}

export class PowerHost implements AsyncDisposable {
  readonly receiver: CallbackReceiver;
  readonly volumes: string;
  readonly folder = 'data';
  readonly #configFile: string;
  readonly #stores: string;
  readonly #kind: string;
  #program: Program | undefined;

  private constructor(
    receiver: CallbackReceiver,
    { kind, volumeDisk, storeDisk, configFile }: PowerHostOptions,
  ) {
    this.receiver = receiver;
    this.#kind = kind;
    this.volumes = join(volumeDisk, 'volumes');
    this.#stores = join(storeDisk, 'stores');
    this.#configFile = configFile;
  }

  static async on(options: PowerHostOptions): Promise<PowerHost> {
    return new PowerHost(await CallbackReceiver.start(secret), options);
  }

  makeFolders(): void {
    for (const folder of [this.volumes, this.#stores]) mkdirSync(folder, { recursive: true });
  }

  async start(engine: MemoryEngine, settings: Settings): Promise<void> {
    const store = (name: string): string => join(this.#stores, `${name}.db`);
    const config = {
      name: 'power',
      listen_addr: '127.0.0.1:0',
      docker_host: 'unix:///nowhere.sock',
      callback_secret: secret,
      host_address: '203.0.113.10',
      sku_profiles: { data: { cpu_cores: 0.5, memory_mb: 64, disk_mb: sizeMb } },
      total_disk_mb: 300,
      volume_data_path: this.volumes,
      volume_filesystem: this.#kind,
      container_readonly_rootfs: false,
      startup_verify_duration: '1ms',
      reconcile_interval: '1h',
      callback_db_path: store('callbacks'),
      diagnostics_db_path: store('diagnostics'),
      releases_db_path: store('releases'),
      retention_db_path: store('retention'),
      ...settings,
    };
    writeFileSync(this.#configFile, JSON.stringify(config));
    const inMemory: Doors = { engine: () => engine, stores: () => undefined, callbacks: (send) => send };
    this.#program = await Program.start(this.#configFile, inMemory);
  }

  get said(): readonly string[] {
    return this.#program?.logs.messages() ?? [];
  }

  async stop(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    this.#program = undefined;
  }

  call(method: string, target: string, body?: unknown): Promise<Reply> {
    return callSigned({ port: this.#program?.port ?? 0, tls: false }, secret, { method, target, body });
  }

  async ask(expected: number, method: string, target: string, body?: unknown): Promise<unknown> {
    const reply = await this.call(method, target, body);
    if (reply.status !== expected)
      throw new Error(`${method} ${target} answered ${reply.status}, not ${expected}: ${reply.text}`);
    return reply.body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.receiver[Symbol.asyncDispose]();
  }
}
