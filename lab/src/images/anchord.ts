/** The anchord image from the sources as they stand: the file system of the release image, with the bundle on top. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { withLock } from '../tools/lock.ts';
import { buildImage } from './build.ts';
import { ensureImage, type ImageRecipe } from './image.ts';

const root = join(import.meta.dirname, '..', '..', '..');
/** The part of the image that changes with the sources: the program and its chunks. */
const bundleIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
const tools = ['/usr/sbin/nft', '/usr/sbin/ip', '/usr/sbin/conntrack'];

const node = (...argv: readonly string[]): void => {
  execFileSync(process.execPath, argv, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
};

const hashOf = (...texts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  return hash.digest('hex').slice(0, 12);
};

/** What the Dockerfile says about the image beside its files, with the defaults of its arguments. */
function instructionsOf(dockerfile: string): readonly string[] {
  const stage = dockerfile.split(/^FROM scratch AS anchord$/m)[1]?.split(/^FROM /m)[0] ?? '';
  const given = new Map([...stage.matchAll(/^ARG (\w+)=(\w*)$/gm)].map(([, name, value]) => [name, value]));
  return stage
    .replaceAll(/\\\n\s*/g, '')
    .replaceAll(/\$([A-Z]+)/g, (_, name: string) => given.get(name) ?? '')
    .split('\n')
    .filter((line) => /^(ENV|ENTRYPOINT|HEALTHCHECK|LABEL) /.test(line));
}

/** Everything but the bundle: changes seldom, and is kept between runs. */
function base(key: string, changes: readonly string[]): ImageRecipe {
  return {
    tag: `berth-test/anchord-base:${key}`,
    key: `anchord-base-${process.arch}-${process.version}-${key}`,
    changes,
    fill: async (folder) => {
      node('scripts/image-root.ts', 'anchord', folder, ...tools);
      const app = join(folder, 'usr/lib/anchord');
      for (const part of await bundleIn(app)) await rm(join(app, part));
    },
  };
}

let made: Promise<string> | undefined;

/** Once a run; hands back the tag. Another run from the same sources waits: it would take the bundle away amid our copying. */
export function anchordImage(host: Host, say: (line: string) => void): Promise<string> {
  made ??= withLock(`the bundle in ${root}`, () => make(host, say));
  return made;
}

async function make(host: Host, say: (line: string) => void): Promise<string> {
  node('scripts/build.ts');
  const dist = join(root, 'dist', 'anchord');
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
  const [dockerfile, script] = await Promise.all([read('Dockerfile'), read('scripts/image-root.ts')]);
  const bundle = await bundleIn(dist);
  const code = await Promise.all(bundle.map((name) => read(`dist/anchord/${name}`)));
  const changes = instructionsOf(dockerfile);
  const baseTag = await ensureImage(host, base(hashOf(script, ...changes), changes), say);
  const tag = `berth-test/anchord:${hashOf(baseTag, ...code)}`;
  if ((await host.docker('image', 'ls', '--quiet', tag)).trim() !== '') return tag;
  const context = await mkdtemp(join(tmpdir(), 'berth-anchord-'));
  try {
    for (const part of bundle) await cp(join(dist, part), join(context, 'bundle', part));
    await writeFile(join(context, 'Dockerfile'), `FROM ${baseTag}\nCOPY bundle/ /usr/lib/anchord/\n`);
    return await buildImage(host, context, { tag });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
