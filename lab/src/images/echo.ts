/** The echo service as an image: our pinned Node with the libraries that it needs, on busybox. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Host } from '../host/host.ts';
import { must } from '../tools/run.ts';
import { fillWithBusybox } from './busybox.ts';
import type { ImageRecipe } from './image.ts';

const sources = join(import.meta.dirname, '..', 'echo');
const files = ['main.ts', 'greeting.ts'] as const;

function sourceHash(): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(sources, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Run it with the ports to serve: `docker run berth-lab/echo 80/tcp 53/udp`. */
export const echo = (): ImageRecipe => ({
  tag: 'berth-lab/echo',
  key: `echo-${process.arch}-${process.version}-${sourceHash()}-1`,
  fill: fillWithEcho,
  changes: [
    'ENTRYPOINT ["/usr/bin/node", "/srv/echo/main.ts"]',
    'CMD ["80/tcp", "80/udp"]',
    'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  ],
});

async function fillWithEcho(root: string, work: string): Promise<void> {
  await fillWithBusybox(root, work);
  const node = await realpath(process.execPath);
  await mkdir(join(root, 'srv/echo'), { recursive: true });
  await copyFile(node, join(root, 'usr/bin/node'));
  for (const library of await librariesOf(node)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(await realpath(library), join(root, library));
  }
  for (const file of files) await copyFile(join(sources, file), join(root, 'srv/echo', file));
}

/** The echo service under another name, on ports of its own: stands in for an application in somebody's compose file. */
export async function echoServing(host: Host, tag: string, ...ports: readonly string[]): Promise<string> {
  await host.must(['docker', 'build', '--quiet', '--tag', tag, '-'], {
    input: `FROM berth-lab/echo\nCMD ${JSON.stringify(ports)}\n`,
  });
  return tag;
}

/** The shared libraries that the loader would take, by the paths under which it looks for them. */
async function librariesOf(program: string): Promise<string[]> {
  return (await must(['ldd', program])).split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
