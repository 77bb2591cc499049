/** A Debian made from nothing but its archive: the ground of the images, and the userland of a newer engine. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import { run } from '../tools/run.ts';
import { mirror, type Release } from './packages.ts';

const tenMinutesMs = 600_000;

/** Makes a minimal Debian in the folder. In namespaces of its own, so that its mounts end with it, also if we do. */
export async function debootstrap(
  release: Release,
  folder: string,
  packages: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { code, stdout } = await run(
    [
      ...(['setpriv', '--pdeathsig', 'KILL'] as const),
      ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--'],
      ...['debootstrap', '--variant=minbase'],
      ...(packages.length === 0 ? [] : [`--include=${packages.join(',')}`]),
      ...[release, folder, await mirror()],
    ],
    { timeoutMs: tenMinutesMs, env },
  );
  if (code !== 0) {
    const log = await readFile(join(folder, 'debootstrap', 'debootstrap.log'), 'utf8').catch(() => '');
    const said = [...stdout.trim().split('\n').slice(-3), ...log.trim().split('\n').slice(-5)].join('\n');
    throw labErrors.error('TOOL_FAILED', `debootstrap ${release} ended with ${code}:\n${said}`);
  }
}

/** What a container never looks at and only makes images larger. */
export async function slim(root: string): Promise<void> {
  const unread = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info'];
  const caches = ['var/cache/apt', 'var/lib/apt/lists', 'var/log'];
  for (const path of [...unread, ...caches]) {
    await rm(join(root, path), { recursive: true, force: true });
    await mkdir(join(root, path), { recursive: true });
  }
  await mkdir(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
  await mkdir(join(root, 'var/lib/apt/lists/partial'), { recursive: true });
  await mkdir(join(root, 'etc/dpkg/dpkg.cfg.d'), { recursive: true });
  await writeFile(
    join(root, 'etc/dpkg/dpkg.cfg.d/slim'),
    unread.map((path) => `path-exclude=/${path}/*\n`).join(''),
  );
  // A container has no sandbox user that could write to a build's folders, and no need for recommended packages.
  await writeFile(join(root, 'etc/apt/apt.conf.d/lab'), 'APT::Install-Recommends "false";\n');
}
