/**
 * A folder of the host into which nobody but us should lead us astray. Every step is taken from an open folder to a name in
 * it and follows no link, wherever that may point: what a tenant has planted makes the step fail, and nothing else happens.
 */
import { constants } from 'node:fs';
import {
  chmod,
  type FileHandle,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { errnoCode } from './errno.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK } = constants;
const folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

export class ConfinedFolder implements AsyncDisposable {
  readonly #handle: FileHandle;
  /** For messages. */
  readonly path: string;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.path = path;
  }

  /** `path` itself is trusted up to its last name, which must not be a link. */
  static async open(path: string): Promise<ConfinedFolder> {
    return new ConfinedFolder(await open(path, folderFlags), path);
  }

  /** The folder below that these names lead to. Rejects at anything that is not a folder. */
  async enter(names: readonly string[]): Promise<ConfinedFolder> {
    return await this.#walk(names, undefined);
  }

  /** The same, and makes what is missing, for nobody but root to look at; `making` hears of each before it is made. */
  async make(names: readonly string[], making: () => void = () => undefined): Promise<ConfinedFolder> {
    return await this.#walk(names, making);
  }

  async #walk(names: readonly string[], making: (() => void) | undefined): Promise<ConfinedFolder> {
    let current = new ConfinedFolder(await open(this.#self, folderFlags & ~O_NOFOLLOW), this.path);
    try {
      for (const name of names) {
        const before = current;
        current = await before.#step(name, making);
        await before[Symbol.asyncDispose]();
      }
      return current;
    } catch (error) {
      await current[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #step(name: string, making: (() => void) | undefined): Promise<ConfinedFolder> {
    const path = `${this.path}/${name}`;
    try {
      return new ConfinedFolder(await open(this.#at(name), folderFlags), path);
    } catch (error) {
      if (making === undefined || errnoCode(error) !== 'ENOENT') throw error;
    }
    making();
    await mkdir(this.#at(name), { mode: 0o700 });
    return new ConfinedFolder(await open(this.#at(name), folderFlags), path);
  }

  /** Of the folder itself. */
  async own(uid: number, gid: number): Promise<void> {
    await this.#handle.chown(uid, gid);
  }

  async setMode(mode: number): Promise<void> {
    await chmod(this.#self, mode);
  }

  /** A regular file, made or emptied. */
  async file(name: string): Promise<FileHandle> {
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
    const file = await open(this.#at(name), flags, 0o600);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new Error(`${this.path}/${name} is no regular file`);
  }

  /** The target is not looked at: it will be resolved where the folder is mounted. */
  async symlink(name: string, target: string): Promise<void> {
    await symlink(target, this.#at(name));
  }

  async ownLink(name: string, uid: number, gid: number): Promise<void> {
    await lchown(this.#at(name), uid, gid);
  }

  /** Another name for a regular file that lies in `from`. */
  async link(name: string, from: ConfinedFolder, target: string): Promise<void> {
    if (!(await lstat(from.#at(target))).isFile())
      throw new Error(`${from.path}/${target} is no regular file`);
    await link(from.#at(target), this.#at(name));
  }

  /** Within the folder; what has the other name is not replaced unless it is an empty folder. */
  async rename(from: string, to: string): Promise<void> {
    await rename(this.#at(from), this.#at(to));
  }

  async names(): Promise<readonly string[]> {
    return await readdir(this.#self);
  }

  /** Removes what has that name, with all that is in it. Links are removed and not followed. */
  async remove(name: string): Promise<void> {
    await rm(this.#at(name), { recursive: true, force: true });
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  /** The kernel's own name for what is open: nothing that happens to the path can change where it leads. */
  get #self(): string {
    return `/proc/self/fd/${this.#handle.fd}`;
  }

  #at(name: string): string {
    if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
      throw new Error(`${JSON.stringify(name)} is not one name`);
    return `${this.#self}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
