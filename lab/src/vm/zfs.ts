/** zfs for the machine's kernel: Debian has its module as a source only, so it is built, in a copy that keeps the compiler. */
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mirror, type Release } from '../images/packages.ts';
import { type Argv, must } from '../tools/run.ts';

/** On a machine that does nothing else it takes five. */
const buildMs = 30 * 60_000;

/** Puts the module and its tools into the Debian in `root`, whose kernel has that version. */
export async function addZfs(root: string, release: Release, kernel: string, work: string): Promise<void> {
  await writeFile(join(root, 'etc/apt/sources.list'), `deb ${await mirror()} ${release} main contrib\n`);
  await inside(root, 'apt-get', '-qq', 'update');
  await must(['cp', '--archive', '--reflink=auto', root, work]);
  try {
    await inside(work, ...install, 'linux-headers-amd64', 'zfs-dkms');
    const modules = join('usr/lib/modules', kernel);
    const built = (await readdir(join(work, modules), { recursive: true })).some((name) =>
      /\/zfs\.ko(\.\w+)?$/.test(name),
    );
    if (!built) throw new Error(`zfs-dkms has built no module for ${kernel}`);
    await cp(join(work, modules, 'updates'), join(root, modules, 'updates'), { recursive: true });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  await inside(root, ...install, 'zfsutils-linux');
  await must(['depmod', '--basedir', root, kernel]);
}

const install = ['apt-get', '-qq', 'install', '--yes', '--no-install-recommends'] as const;

/** In namespaces of its own, so that what a package starts ends with it, also if we do. */
function inside(root: string, ...argv: Argv): Promise<string> {
  return must(
    [
      ...(['setpriv', '--pdeathsig', 'KILL'] as const),
      ...['unshare', '--mount', '--pid', '--fork', '--kill-child', `--root=${root}`, '--mount-proc', '--'],
      ...['nice', ...argv],
    ],
    {
      timeoutMs: buildMs,
      env: {
        DEBIAN_FRONTEND: 'noninteractive',
        RUNLEVEL: '1',
        LC_ALL: 'C.UTF-8',
        INITRD: 'No',
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      },
    },
  );
}
