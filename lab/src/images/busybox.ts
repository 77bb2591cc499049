/** The small image that most tests run: Debian's static busybox, ready in a quarter of a second. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../tools/run.ts';
import type { ImageRecipe } from './image.ts';
import { download } from './packages.ts';

/** Stays, and ends at once when told to: plain `sleep` as the first process of a container hears no signal. */
const staying = `CMD ["sh", "-c", "trap 'exit 0' TERM INT; sleep infinity & wait"]`;

export const busybox: ImageRecipe = {
  tag: 'berth-lab/busybox',
  key: `busybox-${process.arch}-2`,
  fill: fillWithBusybox,
  changes: [staying, 'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
};

export async function fillWithBusybox(root: string, work: string): Promise<void> {
  await must(['dpkg-deb', '-x', await download('busybox-static', work), join(work, 'package')]);
  const folders = ['bin', 'sbin', 'usr/bin', 'usr/sbin', 'etc', 'root', 'tmp', 'var', 'proc', 'sys', 'dev'];
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  const program = join(root, 'bin/busybox');
  await must(['cp', join(work, 'package/bin/busybox'), program]);
  for (const applet of (await must([program, '--list-full'])).trim().split('\n')) {
    if (applet !== 'bin/busybox') await symlink('/bin/busybox', join(root, applet));
  }
  await must(['chmod', '1777', join(root, 'tmp')]);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}
