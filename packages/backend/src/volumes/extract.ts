/**
 * Unpacks content of an image into a folder of a volume. The archive may hold anything: no entry leads out of the folder,
 * none is written through a link, nothing but files, folders and links comes into being, and no more of it than the budget.
 */
import { posix } from 'node:path';
import { type TarEntry, tarEntries } from '../archive/index.ts';
import { errors } from '../errors.ts';
import type { ConfinedFolder } from './confined-folder.ts';
import { errnoCode } from './errno.ts';

/** What may still be written, over all archives of one volume; also what failed counts. */
export interface ContentBudget {
  bytes: number;
  entries: number;
}

const refused = (entry: TarEntry, why: string): Error =>
  errors.error('volume_content', `the entry ${JSON.stringify(entry.name)} of the image ${why}`);

/** Rejects at the first entry that breaks a rule; what was unpacked before stays, and is the caller's to remove. */
export async function extract(
  archive: AsyncIterable<Uint8Array>,
  destination: ConfinedFolder,
  budget: ContentBudget,
  signal: AbortSignal,
): Promise<void> {
  await using unpacking = new Unpacking(destination, budget);
  for await (const entry of tarEntries(archive)) {
    signal.throwIfAborted();
    await unpacking.take(entry);
  }
}

class Unpacking implements AsyncDisposable {
  readonly #destination: ConfinedFolder;
  readonly #budget: ContentBudget;
  /** The folder that was written to last: most entries lie in it, too. */
  #parent: { readonly path: string; readonly folder: ConfinedFolder } | undefined;

  constructor(destination: ConfinedFolder, budget: ContentBudget) {
    this.#destination = destination;
    this.#budget = budget;
  }

  async take(entry: TarEntry): Promise<void> {
    const names = namesOf(entry);
    const name = names.at(-1);
    // The folder itself: an archive neither makes it nor gives it to anybody.
    if (name === undefined) return;
    if (!Number.isSafeInteger(entry.uid) || !Number.isSafeInteger(entry.gid))
      throw refused(entry, 'has an owner that no system has');
    this.#count(entry, 1);
    const parent = await this.#folderOf(entry, names.slice(0, -1));
    switch (entry.type) {
      case 'directory':
        return await this.#directory(entry, parent, name);
      case 'file':
        return await this.#file(entry, parent, name);
      case 'symlink':
        await parent.symlink(name, entry.linkName);
        return await ignoringPermission(() => parent.ownLink(name, entry.uid, entry.gid));
      case 'hardlink':
        return await this.#hardlink(entry, parent, name);
      default:
        throw refused(entry, `is a ${entry.type}`);
    }
  }

  #count(entry: TarEntry, entries: number): void {
    if (entries > this.#budget.entries) throw refused(entry, 'is one more than the volume may have');
    this.#budget.entries -= entries;
  }

  async #directory(entry: TarEntry, parent: ConfinedFolder, name: string): Promise<void> {
    await using folder = await parent.make([name]);
    await ignoringPermission(() => folder.own(entry.uid, entry.gid));
    // After the owner: a change of owner takes bits away. Its owner can always use it.
    await folder.setMode((entry.mode & 0o777) | 0o700);
  }

  async #file(entry: TarEntry, parent: ConfinedFolder, name: string): Promise<void> {
    // Compared with what is left, before a byte is read: a sum could overflow.
    if (entry.size > this.#budget.bytes) throw refused(entry, 'is larger than what the volume has left');
    await using file = await parent.file(name);
    for await (const piece of entry.content()) {
      this.#budget.bytes -= piece.length;
      await file.writeFile(piece);
    }
    await ignoringPermission(() => file.chown(entry.uid, entry.gid));
    await file.chmod(entry.mode & 0o777);
    if (Number.isSafeInteger(entry.mtimeS)) await file.utimes(entry.mtimeS, entry.mtimeS);
  }

  /** Another name for a file that came before, in here. */
  async #hardlink(entry: TarEntry, parent: ConfinedFolder, name: string): Promise<void> {
    const target = namesOf({ ...entry, name: entry.linkName });
    const last = target.at(-1);
    if (last === undefined) throw refused(entry, 'is a link to the folder itself');
    await using from = await this.#destination.enter(target.slice(0, -1));
    await parent.link(name, from, last);
  }

  async #folderOf(entry: TarEntry, names: readonly string[]): Promise<ConfinedFolder> {
    const path = names.join('/');
    if (this.#parent?.path === path) return this.#parent.folder;
    const folder = await this.#destination.make(names, () => this.#count(entry, 1));
    await this.#parent?.folder[Symbol.asyncDispose]();
    this.#parent = { path, folder };
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parent?.folder[Symbol.asyncDispose]();
  }
}

/** The way to an entry from the folder that it is unpacked in; names that begin with two dots are names. */
function namesOf(entry: TarEntry): readonly string[] {
  const cleaned = posix.normalize(entry.name).replace(/\/+$/, '');
  if (cleaned.startsWith('/') || cleaned === '..' || cleaned.startsWith('../'))
    throw refused(entry, 'leads out of its folder');
  return cleaned === '' || cleaned === '.' ? [] : cleaned.split('/');
}

/** Whoever is not root cannot give files away, and keeps them. */
async function ignoringPermission(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (errnoCode(error) !== 'EPERM') throw error;
  }
}
