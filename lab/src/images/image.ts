/** An image that the lab makes itself, because no registry can be asked for one: a root file system in a tar file. */
import type { Host } from '../host/host.ts';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';

export interface ImageRecipe {
  readonly tag: string;
  /** Other names for the same image. */
  readonly alsoKnownAs?: readonly string[];
  /** Names the tar file in the cache; changes whenever its content would. */
  readonly key: string;
  /** Fills a folder that exists; `work` is another one for whatever is needed on the way. */
  readonly fill: (root: string, work: string) => Promise<void>;
  /** Dockerfile instructions such as CMD and ENV. */
  readonly changes: readonly string[];
}

type Say = (line: string) => void;

/** Makes sure that the host's engine has the image; hands back its tag. */
export async function ensureImage(host: Host, recipe: ImageRecipe, say: Say): Promise<string> {
  const { tag, changes, alsoKnownAs = [] } = recipe;
  if ((await host.docker('image', 'ls', '--quiet', tag)).trim() !== '') return tag;
  const tar = await imageTar(recipe, say);
  await host.docker('import', ...changes.flatMap((change) => ['--change', change]), tar, tag);
  for (const name of alsoKnownAs) await host.docker('tag', tag, name);
  return tag;
}

function imageTar({ tag, key, fill }: ImageRecipe, say: Say): Promise<string> {
  return kept(
    `${key}.tar`,
    async (path) => {
      say(`making the image ${tag} (kept for the next time)`);
      const root = `${path}.root`;
      const work = `${path}.work`;
      await must(['mkdir', '--parents', root, work]);
      await fill(root, work);
      await must(['tar', '--numeric-owner', '-C', root, '-cf', path, '.']);
    },
    say,
  );
}
