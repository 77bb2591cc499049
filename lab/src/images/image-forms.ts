/** One image in several forms: stages of one Dockerfile, each pushed to the registry of a host under a name of its own. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { buildImage } from './build.ts';
import { registryAddress, startRegistry } from './registry.ts';

/** Begins with its `FROM`; may build on a stage before it. */
type Stage = readonly [from: string, ...steps: string[]];

export class ImageForms<Form extends string> {
  readonly #name: string;
  readonly #forms: readonly Form[];
  readonly #dockerfile: string;
  /** What images that an earlier run has left on a host must have been made of, to be taken as they are. */
  readonly #version: string;
  readonly #ready = new WeakMap<Host, Promise<void>>();

  constructor(name: string, stages: Readonly<Record<Form, Stage>>) {
    this.#name = name;
    this.#forms = Object.keys(stages) as Form[];
    this.#dockerfile = Object.entries<Stage>(stages)
      .flatMap(([form, [from, ...steps]]) => [`${from} AS ${form}`, ...steps, ''])
      .join('\n');
    this.#version = createHash('sha256').update(this.#dockerfile).digest('hex').slice(0, 12);
  }

  /** What a manifest says to have this form. */
  reference(form: Form, tag = '1'): string {
    return `${registryAddress}/${this.#name}/${form}:${tag}`;
  }

  /** Builds them all, once for a host, and puts them where they are pulled from. */
  ensure(host: Host): Promise<void> {
    const known = this.#ready.get(host);
    if (known !== undefined) return known;
    const making = this.#make(host);
    this.#ready.set(host, making);
    return making;
  }

  async #make(host: Host): Promise<void> {
    const registry = await startRegistry(host);
    const folder = await mkdtemp(join(tmpdir(), 'berth-forms-'));
    try {
      await writeFile(join(folder, 'Dockerfile'), this.#dockerfile);
      for (const form of this.#forms) {
        const tag = `${this.#name}/${form}:${this.#version}`;
        if ((await host.docker('image', 'ls', '--quiet', tag)) !== '') continue;
        const building = `${tag}-building`;
        await buildImage(host, folder, { tag: building, target: form });
        await registry.push(building, `${this.#name}/${form}`, '1');
        await host.docker('tag', building, tag);
        await host.docker('image', 'rm', building);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
