/** Reads of an image what only a container of it shows. The container is never started, and never stays. */
import { posix } from 'node:path';
import { type Containers, engineErrors } from '@berth/engine';
import type { Log } from '@berth/service/log';
import { errorText } from '@berth/service/log';
import { type TarEntry, tarEntries } from '../archive/index.ts';
import { errors } from '../errors.ts';

/** Marks such a container, so that one that a crash left behind is found. It belongs to no lease. */
const inspectionLabel = 'fred.image_inspection';

const removeMs = 5000;
const largestFile = 1024 * 1024;
const mostLinks = 5;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export class ImageFiles {
  readonly #containers: Containers;
  readonly #backendName: string;
  readonly #log: Log;

  constructor(containers: Containers, backendName: string, log: Log) {
    this.#containers = containers;
    this.#backendName = backendName;
    this.#log = log;
  }

  /** Opens the files of an image for the time that `use` takes. */
  async within<T>(image: string, signal: AbortSignal, use: (files: OpenImage) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    // Not called off in the middle: a container whose id nobody has heard of would stay.
    const { id } = await this.#containers.create({
      Image: image,
      Entrypoint: ['/nothing'],
      Cmd: [],
      NetworkDisabled: true,
      Labels: { [inspectionLabel]: this.#backendName },
    });
    try {
      return await use(new OpenImage(this.#containers, id, signal));
    } finally {
      await this.#remove(id);
    }
  }

  /** Removes what a crash left behind. */
  async tidy(): Promise<void> {
    const filters = { label: [`${inspectionLabel}=${this.#backendName}`] };
    for (const { id } of await this.#containers.list({ all: true, filters })) await this.#remove(id);
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#containers.remove(id, { force: true, volumes: true, timeoutMs: removeMs });
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return;
      this.#log.warn('a container for image inspection could not be removed', {
        container_id: id.slice(0, 12),
        error: errorText(error),
      });
    }
  }
}

interface FirstEntry {
  readonly header: TarEntry;
  readonly content: Buffer;
}

export class OpenImage {
  readonly #containers: Containers;
  readonly #id: string;
  readonly #signal: AbortSignal;

  constructor(containers: Containers, id: string, signal: AbortSignal) {
    this.#containers = containers;
    this.#id = id;
    this.#signal = signal;
  }

  /** A small file as text; empty when the image has none of that name. Links are followed, but not for ever. */
  async text(path: string): Promise<string> {
    let at = path;
    for (let links = 0; links <= mostLinks; links++) {
      const entry = await this.#first(at);
      if (entry === undefined) return '';
      const { type, linkName } = entry.header;
      if (type !== 'symlink') return type === 'file' ? entry.content.toString('utf8') : '';
      at = posix.resolve(posix.dirname(at), linkName);
    }
    return '';
  }

  /** Whose the path is; undefined when the image has none of that name. */
  async owner(path: string): Promise<Owner | undefined> {
    const entry = await this.#first(path);
    return entry && { uid: entry.header.uid, gid: entry.header.gid };
  }

  /** Hands over all that is at the path and below, as an archive; false when the image has none of that name. */
  async archive(path: string, use: (archive: AsyncIterable<Uint8Array>) => Promise<void>): Promise<boolean> {
    let reply: Awaited<ReturnType<Containers['readArchive']>>;
    try {
      reply = await this.#containers.readArchive(this.#id, path, { signal: this.#signal });
    } catch (error) {
      if (engineErrors.is(error, 'ENGINE_NOT_FOUND')) return false;
      throw error;
    }
    using _open = reply;
    await use(reply);
    return true;
  }

  /** The first entry of the path's archive: the path itself. */
  async #first(path: string): Promise<FirstEntry | undefined> {
    let first: FirstEntry | undefined;
    await this.archive(path, async (archive) => {
      first = await firstEntry(archive, path);
    });
    return first;
  }
}

/** Reads no further than the first entry. */
async function firstEntry(archive: AsyncIterable<Uint8Array>, path: string): Promise<FirstEntry | undefined> {
  for await (const header of tarEntries(archive)) {
    if (header.size > largestFile)
      throw errors.error(
        'image_unreadable',
        `${path} of the image has ${header.size} bytes, more than ${largestFile}`,
      );
    return { header, content: Buffer.concat(await Array.fromAsync(header.content())) };
  }
  return undefined;
}
