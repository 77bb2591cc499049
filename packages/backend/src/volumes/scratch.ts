/**
 * The folder of a volume that is seeded from the image at each deployment. While old containers may have to come back, what
 * they have of it is put aside under another name: it stays theirs, because mounts follow the folder and not its name.
 */
import { posix } from 'node:path';
import { ConfinedFolder } from './confined-folder.ts';
import { type ContentBudget, extract } from './extract.ts';
import { scratchAside, scratchFolder } from './layout.ts';

/** The content of one path of the image, as an archive whose entries begin with the path's last name; undefined: none. */
type ContentOf = (
  path: string,
  use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
) => Promise<boolean>;

export interface SeedOptions {
  readonly volume: string;
  /** Absolute paths of the image. */
  readonly paths: readonly string[];
  readonly budget: ContentBudget;
  readonly contentOf: ContentOf;
  readonly signal: AbortSignal;
  /** A path that is left out, and why. */
  readonly onLeftOut: (path: string, error: unknown) => void;
}

/** Makes room for new content. `operation` given: what is there may have to come back, and is put aside for it. */
export async function clearScratch(volume: string, operation: string | undefined): Promise<void> {
  await using root = await ConfinedFolder.open(volume);
  const names = await root.names();
  const kept = operation === undefined ? undefined : scratchAside(operation);
  for (const name of names) if (isAside(name) && name !== kept) await root.remove(name);
  if (!names.includes(scratchFolder)) return;
  if (kept === undefined || names.includes(kept)) await root.remove(scratchFolder);
  else await root.rename(scratchFolder, kept);
}

/** The old containers come back: so does what they had. */
export async function restoreScratch(volume: string, operation: string): Promise<void> {
  await using root = await ConfinedFolder.open(volume);
  const kept = scratchAside(operation);
  if (!(await root.names()).includes(kept)) return;
  await root.remove(scratchFolder);
  await root.rename(kept, scratchFolder);
}

/** The new containers stay: what the old ones had can go. */
export async function dropScratchAside(volume: string): Promise<void> {
  await using root = await ConfinedFolder.open(volume);
  for (const name of await root.names()) if (isAside(name)) await root.remove(name);
}

const isAside = (name: string): boolean => name.startsWith(scratchAside(''));

/** Fills the folder; the path on the host of each path that is there and can be mounted. Never rejects for content. */
export async function seedScratch(options: SeedOptions): Promise<ReadonlyMap<string, string>> {
  const { volume, paths, onLeftOut, signal } = options;
  const binds = new Map<string, string>();
  await using root = await ConfinedFolder.open(volume);
  await using scratch = await root.make([scratchFolder]);
  for (const path of paths) {
    try {
      const source = await seedOne(scratch, path, options);
      if (source !== undefined) binds.set(path, source);
    } catch (error) {
      signal.throwIfAborted();
      onLeftOut(path, error);
      await removeBelow(scratch, path);
    }
  }
  return binds;
}

const namesOf = (path: string): readonly string[] => posix.normalize(path).split('/').filter(Boolean);

async function seedOne(
  scratch: ConfinedFolder,
  path: string,
  { contentOf, budget, signal }: SeedOptions,
): Promise<string | undefined> {
  const names = namesOf(path);
  await using parent = await scratch.make(names.slice(0, -1));
  const found = await contentOf(path, (archive) => extract(archive, parent, budget, signal));
  if (!found) return undefined;
  // Only what can be reached without a link is mounted.
  await using mounted = await scratch.enter(names);
  return mounted.path;
}

/** Half of it is no use to anybody, and takes room. */
async function removeBelow(scratch: ConfinedFolder, path: string): Promise<void> {
  const names = namesOf(path);
  const last = names.at(-1);
  if (last === undefined) return;
  try {
    await using parent = await scratch.enter(names.slice(0, -1));
    await parent.remove(last);
  } catch {
    // It is cleared with the whole folder at the next deployment.
  }
}
