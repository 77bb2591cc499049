/** What has to be known of an image before a container of it can be made. */
import type { Images } from '@berth/engine';
import { errorText, type Log } from '@berth/service/log';
import { errors } from '../errors.ts';
import type { RunAs } from '../stack/index.ts';
import { isNumeric, parseUser, resolveUser } from './accounts.ts';
import type { ImageFiles, OpenImage } from './image-files.ts';
import { RecentlyUsed } from './recently-used.ts';
import { writablePaths } from './writable-paths.ts';

export interface ImageFacts {
  readonly id: string;
  /** Declared volumes, sorted. */
  readonly volumes: readonly string[];
  readonly runAs: RunAs;
  /** Folders beside the volumes that the user has to be able to write to; empty when nobody wants to know. */
  readonly writable: readonly string[];
}

/** How many answers are remembered. They are about contents, and contents do not change. */
const remembered = 1000;

export class ImageInspection {
  readonly #images: Pick<Images, 'inspect'>;
  readonly #files: ImageFiles;
  readonly #log: Log;
  readonly #wantsWritable: boolean;
  readonly #users = new RecentlyUsed<RunAs>(remembered);
  readonly #writable = new RecentlyUsed<readonly string[]>(remembered);

  /** `wantsWritable`: containers cannot write to their image, and there is somewhere to put what they have to write. */
  constructor(images: Pick<Images, 'inspect'>, files: ImageFiles, log: Log, wantsWritable: boolean) {
    this.#wantsWritable = wantsWritable;
    this.#images = images;
    this.#files = files;
    this.#log = log;
  }

  /** `user` is what the manifest says; without it the image's own user counts. */
  async facts(image: string, user: string | undefined, signal: AbortSignal): Promise<ImageFacts> {
    const { id, volumes, user: own } = await this.#images.inspect(image, { signal });
    const wanted = user ?? own;
    const runAs =
      wanted === '' ? await this.#volumeOwner(id, volumes, signal) : await this.#user(id, wanted, signal);
    return { id, volumes, runAs, writable: await this.#writablePaths(id, runAs, volumes, signal) };
  }

  /** Another user of the same image has others. What cannot be found out is not remembered. */
  async #writablePaths(
    id: string,
    runAs: RunAs,
    volumes: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (!this.#wantsWritable) return [];
    const key = `${id} ${runAs.uid}`;
    const before = this.#writable.get(key);
    if (before !== undefined) return before;
    try {
      const paths = await this.#files.within(id, signal, (files) => writablePaths(files, runAs, volumes));
      this.#writable.set(key, paths);
      return paths;
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('the folders that an image has for its user are not known, they stay read-only', {
        image: id,
        error: errorText(error),
      });
      return [];
    }
  }

  async #user(id: string, written: string, signal: AbortSignal): Promise<RunAs> {
    const wanted = parseUser(written);
    if (isNumeric(wanted)) return known(resolveUser(wanted, '', ''));
    const key = `${id} ${written}`;
    const before = this.#users.get(key);
    if (before !== undefined) return before;
    const [passwd, group] = await this.#files.within(id, signal, async (files) => [
      await files.text('/etc/passwd'),
      await files.text('/etc/group'),
    ]);
    const runAs = known(resolveUser(wanted, passwd, group));
    this.#users.set(key, runAs);
    return runAs;
  }

  /**
   * Nobody names a user, but the image has volumes that all belong to one: images that start as root only to give themselves
   * those volumes cannot do that here, and have to start as that user. When in doubt, nothing is changed.
   */
  async #volumeOwner(id: string, volumes: readonly string[], signal: AbortSignal): Promise<RunAs> {
    if (volumes.length === 0) return root;
    const before = this.#users.get(id);
    if (before !== undefined) return before;
    try {
      const runAs = await this.#files.within(id, signal, (files) => commonOwner(files, volumes));
      this.#users.set(id, runAs);
      return runAs;
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('the owner of the volumes of an image is not known, starting as its own user', {
        image: id,
        error: errorText(error),
      });
      return root;
    }
  }
}

const root: RunAs = { uid: 0, gid: 0 };

async function commonOwner(files: OpenImage, volumes: readonly string[]): Promise<RunAs> {
  const owners: RunAs[] = [];
  for (const path of volumes) {
    const owner = await files.owner(path);
    if (owner === undefined || owner.uid === 0 || owner.gid === 0) return root;
    owners.push(owner);
  }
  const [first = root, ...others] = owners;
  return others.every(({ uid, gid }) => uid === first.uid && gid === first.gid) ? first : root;
}

function known(resolved: RunAs | string): RunAs {
  if (typeof resolved === 'string') throw errors.error('image_unreadable', resolved);
  return resolved;
}
