/**
 * One folder of deploy/examples, brought up as its guide says it: the commands of the page, in the example's folder, on a host
 * of the lab. What differs from a user's is what the examples leave to the user: images, and the LAN.
 */
import { join } from 'node:path';
import { anchordImage, echoServing, lanLink, socketProxyImage } from '@berth/lab';
import { ComposeProject } from './compose.ts';
import { commandsOf, type GuideCommand, inlineCommandsOf } from './guide.ts';
import type { Harbour } from './harbour.ts';

const examples = join(import.meta.dirname, '..', '..', 'deploy', 'examples');
const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

/** The LAN and its parent as the guides write them, and as they are here. */
const guideLan = '10.42.0.';
const guideParent = 'parent=eth0.42';

export interface ExampleOptions {
  /** Which ports the application serves behind a variable: `{ WEB_IMAGE: ['80/tcp'] }`. */
  readonly applications: Readonly<Record<string, readonly string[]>>;
  /** The example's Compose projects: names as in the files, and the files if they are not compose.yaml. */
  readonly projects: Readonly<Record<string, readonly string[]>>;
  /** Networks that the guide has the user make. */
  readonly networks: readonly string[];
}

export class Example implements AsyncDisposable {
  readonly #harbour: Harbour;
  readonly #folder: string;
  readonly #networks: readonly string[];
  readonly #projects: readonly ComposeProject[];
  readonly #env: Record<string, string>;

  /** Docker sees `anchord:dev` on the host, as after the guide's `docker build`. */
  static async open(harbour: Harbour, name: string, options: ExampleOptions): Promise<Example> {
    const { host } = harbour;
    await host.docker('tag', await anchordImage(host, say), 'anchord:dev');
    const env: Record<string, string> = { DOCKER_PROXY_IMAGE: await socketProxyImage(host, say) };
    for (const [variable, ports] of Object.entries(options.applications)) {
      env[variable] = await echoServing(host, `berth-test/${variable.toLowerCase()}`, ...ports);
    }
    return new Example(harbour, join(examples, name), env, options);
  }

  private constructor(
    harbour: Harbour,
    folder: string,
    env: Record<string, string>,
    { projects, networks }: ExampleOptions,
  ) {
    this.#harbour = harbour;
    this.#folder = folder;
    this.#env = env;
    this.#networks = networks;
    this.#projects = Object.entries(projects).map(([project, files]) => {
      const options = files.flatMap((file) => ['--file', file]);
      return ComposeProject.in(harbour.host, { name: project, folder, options, env });
    });
  }

  project(name: string): ComposeProject {
    const project = this.#projects.find((candidate) => candidate.name === name);
    if (project === undefined) throw new Error(`the example has no project ${name}`);
    return project;
  }

  /**
   * Runs the commands of the page whose text matches, in order; hands back what they wrote. `again`: a failure with these words
   * is one after which the page says to give the command once more.
   */
  async follow(
    page: string,
    matching: RegExp,
    { again }: { readonly again?: RegExp } = {},
  ): Promise<readonly string[]> {
    const commands = (await commandsOf(page)).filter(({ text }) => matching.test(text));
    if (commands.length === 0) throw new Error(`${page} has no command like ${matching}`);
    const written: string[] = [];
    for (const command of commands) {
      const run = (): Promise<string> => this.#run(command);
      written.push(
        await run().catch((error: unknown) => {
          if (again?.test(String(error)) === true) return run();
          throw error;
        }),
      );
    }
    return written;
  }

  /** Runs what stands in the text of the page and matches, with these names; hands back what each wrote. */
  async ask(
    page: string,
    matching: RegExp,
    names: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> {
    const commands = (await inlineCommandsOf(page, names)).filter(({ text }) => matching.test(text));
    if (commands.length === 0) throw new Error(`${page} says nothing like ${matching}`);
    const written: string[] = [];
    for (const command of commands) written.push(await this.#run(command));
    return written;
  }

  async #run({ argv: [program, ...args], env }: GuideCommand): Promise<string> {
    const here = (text: string): string =>
      text
        .replace(guideParent, `parent=${lanLink}`)
        .replaceAll(guideLan, this.#harbour.address(4, 0).slice(0, -1));
    // Compose asks for them again at each later command.
    for (const [name, value] of Object.entries(env)) this.#env[name] = here(value);
    return await this.#harbour.host.must([program, ...args.map(here)], {
      folder: this.#folder,
      env: this.#env,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const project of this.#projects.toReversed()) await project[Symbol.asyncDispose]();
    for (const network of this.#networks) {
      await this.#harbour.host.docker('network', 'rm', network).catch(() => undefined);
    }
  }
}
