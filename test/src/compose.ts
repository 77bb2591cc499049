/** A Compose project of a test: brought up on a host of the lab, looked into, and gone with the test's space. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@berth/lab';
import type { Space } from '@berth/lab/testing';

/** As Compose reads it; JSON is YAML, too. */
export type ComposeFile = Readonly<Record<string, unknown>>;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [attribute: string]: unknown;
}

interface Placed {
  readonly name: string;
  readonly folder: string;
  /** Of the command itself: other files than compose.yaml. */
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The folder goes with the project. */
  readonly ours: boolean;
}

export class ComposeProject implements AsyncDisposable {
  /** As Compose puts it before the names of networks and containers. */
  readonly name: string;
  readonly #host: Host;
  readonly #folder: string;
  readonly #options: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #ours: boolean;

  /** From a file that the test writes. */
  static async create(space: Space, file: ComposeFile, name: string = space.id): Promise<ComposeProject> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-compose-'));
    const options = ['--project-name', name, '--file', 'compose.yaml'];
    const project = new ComposeProject(space.host, { name, folder, options, ours: true });
    space.removesProject(name);
    await project.rewrite(file);
    return project;
  }

  /** From files that stand in a folder, in which the command is run, with these variables, as a user does it. */
  static in(host: Host, options: Omit<Placed, 'ours'>): ComposeProject {
    return new ComposeProject(host, { ...options, ours: false });
  }

  private constructor(host: Host, { name, folder, options = [], env = {}, ours }: Placed) {
    this.#host = host;
    this.#folder = folder;
    this.#options = options;
    this.#env = env;
    this.#ours = ours;
    this.name = name;
  }

  async rewrite(file: ComposeFile): Promise<void> {
    await writeFile(join(this.#folder, 'compose.yaml'), JSON.stringify(file));
  }

  run(...args: readonly string[]): Promise<string> {
    const command = ['docker', 'compose', ...this.#options, ...args] as const;
    return this.#host.must(command, { folder: this.#folder, env: this.#env });
  }

  async up(...services: readonly string[]): Promise<void> {
    await this.run('up', '--detach', ...services);
  }

  async down(): Promise<void> {
    await this.run('down', '--timeout', '10');
  }

  async containerOf(service: string): Promise<string> {
    return (await this.run('ps', '--all', '--quiet', service)).trim();
  }

  async exec(service: string, ...argv: readonly string[]): Promise<string> {
    return await this.#host.docker('exec', await this.containerOf(service), ...argv);
  }

  /** What the container has logged, line by line; what is no JSON is left out. */
  async logs(service: string): Promise<readonly LogLine[]> {
    const text = await this.#host.docker('logs', await this.containerOf(service));
    return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  }

  async inspect(service: string, format: string): Promise<string> {
    return (await this.#host.docker('inspect', '--format', format, await this.containerOf(service))).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What it gives up, because somebody else is still on it, goes with the space of the test.
    await this.run('down', '--timeout', '1', '--volumes').catch(() => undefined);
    if (this.#ours) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Compose saw nobody on the network, and the engine had not yet cleared up after the last one who was. */
export const stillLeaving = /has active endpoints/;
