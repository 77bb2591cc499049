/** The small image that most tests run: Debian's static busybox, ready in a quarter of a second. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';
import { download } from './packages.ts';

export const busyboxImage = 'berth-lab/busybox';

const recipe = 1;

/** The image as a root file system in a tar file. */
function busyboxTar(say: (line: string) => void): Promise<string> {
  return kept(
    `busybox-${process.arch}-${recipe}.tar`,
    async (path) => {
      say('making the busybox image');
      const work = `${path}.work`;
      const root = join(work, 'root');
      await mkdir(root, { recursive: true });
      await unpackBusybox(work, root);
      await must(['tar', '-C', root, '-cf', path, '.']);
    },
    say,
  );
}

async function unpackBusybox(work: string, root: string): Promise<void> {
  await must(['dpkg-deb', '-x', await download('busybox-static', work), join(work, 'package')]);
  for (const folder of [
    'bin',
    'sbin',
    'usr/bin',
    'usr/sbin',
    'etc',
    'root',
    'tmp',
    'var',
    'proc',
    'sys',
    'dev',
  ])
    await mkdir(join(root, folder), { recursive: true });
  const busybox = join(root, 'bin/busybox');
  await must(['cp', join(work, 'package/bin/busybox'), busybox]);
  for (const applet of (await must([busybox, '--list-full'])).trim().split('\n')) {
    if (!applet.endsWith('/busybox')) await symlink('/bin/busybox', join(root, applet)).catch(ignoreExisting);
  }
  await must(['chmod', '1777', join(root, 'tmp')]);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

export async function ensureBusybox(host: Host, say: (line: string) => void): Promise<string> {
  if (await hasImage(host, busyboxImage)) return busyboxImage;
  const tar = await busyboxTar(say);
  // Something that stays and ends at once when told to: sleep takes no signal as the first process of a container.
  const command = 'CMD ["sh", "-c", "trap \'exit 0\' TERM INT; sleep infinity & wait"]';
  await host.docker(
    'import',
    '--change',
    command,
    '--change',
    'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    tar,
    busyboxImage,
  );
  return busyboxImage;
}

async function hasImage(host: Host, tag: string): Promise<boolean> {
  return (await host.docker('image', 'ls', '--quiet', tag)).trim() !== '';
}
