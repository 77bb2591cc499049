/** The lease backend as the program that it is: a process of its own with a configuration file, on the engine of a lab host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { waitFor } from '../tools/wait.ts';

export const backendSecret = 'a-secret-that-only-this-lab-knows-of';

/** The keys of a configuration that say where the stores are: all in one folder. */
export const storesIn = (folder: string) => ({
  callback_db_path: join(folder, 'callbacks.db'),
  diagnostics_db_path: join(folder, 'diagnostics.db'),
  releases_db_path: join(folder, 'releases.db'),
  retention_db_path: join(folder, 'retention.db'),
});

export interface BackendOptions {
  /** Lets it see the mounts of this host and no others, as it would when it ran there; its network stays ours. */
  readonly mountsOf?: Host;
  readonly dockerSocket: string;
  /** Keys of the configuration file beside the ones that the lab needs. JSON is YAML, too. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Another main module than the one of the sources: a bundle. */
  readonly entry?: string;
}

/** Where the program begins, in its sources. */
export const backendMain = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'packages',
  'backend',
  'src',
  'main.ts',
);

export class BackendProgram implements AsyncDisposable {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #entry: string;
  readonly #mountsOf: Host | undefined;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #output = '';
  #port = 0;

  /** Writes the configuration and starts the program; resolves when it listens. */
  static async start(options: BackendOptions): Promise<BackendProgram> {
    const program = new BackendProgram(await mkdtemp(join(tmpdir(), 'berth-backend-')), options);
    try {
      await program.configure(options);
      await program.run();
      return program;
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(folder: string, { env = {}, entry = backendMain, mountsOf }: BackendOptions) {
    this.folder = folder;
    this.#env = env;
    this.#entry = entry;
    this.#mountsOf = mountsOf;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it has written since it was started last. */
  get output(): string {
    return this.#output;
  }

  get configFile(): string {
    return join(this.folder, 'docker-backend.yaml');
  }

  async configure({ dockerSocket, config }: Pick<BackendOptions, 'dockerSocket' | 'config'>): Promise<void> {
    const whole = {
      listen_addr: '127.0.0.1:0',
      docker_host: `unix://${dockerSocket}`,
      callback_secret: backendSecret,
      ...storesIn(this.folder),
      ...config,
    };
    await writeFile(this.configFile, `${JSON.stringify(whole, undefined, 2)}\n`, { mode: 0o600 });
  }

  /** Starts it with the configuration that there is; resolves when it listens. */
  async run(timeoutMs = 60_000): Promise<void> {
    // Killed with us, should we be killed: nobody else knows of it.
    const where =
      this.#mountsOf === undefined
        ? []
        : [
            ...['nsenter', `--target=${this.#mountsOf.init}`, '--mount', '--root', `--wdns=${this.folder}`],
            // Its /proc would be that of the host's processes, and this is none of them.
            ...['unshare', '--mount-proc', '--propagation=slave', '--'],
          ];
    const dying = ['--pdeathsig', 'KILL', ...where, process.execPath];
    const child = spawn('setpriv', [...dying, this.#entry, '-config', this.configFile], {
      cwd: this.folder,
      env: { ...process.env, DOCKER_HOST: '', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#output = '';
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    this.#port = await waitFor('docker-backend to listen', () => this.#listening(), {
      timeoutMs,
      evidence: () => this.#output,
    });
  }

  /** Does it run? It may have ended by itself. */
  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Tells it to end, waits, and says its exit code. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await this.#ended;
    this.#child = undefined;
    return child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #listening(): number | undefined {
    const found = /msg="docker-backend is ready".* addr=\S*:(\d+)/.exec(this.#output)?.[1];
    if (found !== undefined) return Number(found);
    const { exitCode } = this.#child ?? {};
    if (exitCode !== null && exitCode !== undefined)
      throw labErrors.error('TOOL_FAILED', `docker-backend ended with ${exitCode}:\n${this.#output}`);
    return undefined;
  }
}
