/** What a virtual machine boots: a stock Debian kernel, its first root, and a disk with a Debian; made once and kept. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { debootstrap, slim } from '../images/debootstrap.ts';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';
import { type ArchiveEntry, cpioArchive } from './cpio.ts';
import { addZfs } from './zfs.ts';

const release = 'trixie';
const packages = [
  ...['linux-image-amd64', 'busybox-static', 'kmod', 'procps', 'libatomic1', 'libstdc++6', 'ca-certificates'],
  ...[
    'docker.io',
    'docker-cli',
    'iptables',
    'iproute2',
    'nftables',
    'conntrack',
    'netbase',
    'xfsprogs',
    'btrfs-progs',
  ],
] as const;
/** What the first root has to load before it sees the disk, the shared folder and the ports. */
const modules = ['virtio_pci', 'virtio_blk', 'ext4', '9p', '9pnet_virtio', 'virtio_console', 'virtio_net'];
const diskSize = '6G';

export interface VmFiles {
  readonly kernel: string;
  readonly firstRoot: string;
  readonly disk: string;
}

export async function vmFiles(say: (line: string) => void): Promise<VmFiles> {
  const hash = createHash('sha256').update([...packages, ...modules, diskSize].join(' '));
  const key = `vm-${release}-${process.arch}-${hash.digest('hex').slice(0, 12)}-2`;
  const folder = await kept(key, (path) => make(path, say), say);
  return filesIn(folder);
}

const filesIn = (folder: string): VmFiles => ({
  kernel: join(folder, 'kernel'),
  firstRoot: join(folder, 'first-root'),
  disk: join(folder, 'disk.img'),
});

async function make(folder: string, say: (line: string) => void): Promise<void> {
  say(`making the disk of a virtual machine with Debian ${release} and its kernel (kept for the next time)`);
  const root = `${folder}.root`;
  await mkdir(folder, { recursive: true });
  // The kernel's package would make a first root of its own, which takes long and is never used.
  await debootstrap(release, root, packages, { INITRD: 'No' });
  const [version] = await readdir(join(root, 'usr/lib/modules'));
  if (version === undefined) throw new Error('Debian’s kernel package has brought no modules');
  await addZfs(root, release, version, `${folder}.build`).catch((error: unknown) => {
    // Everything else of the machine is as good without: the tests that need it say so.
    say(`the machine does without zfs: ${error instanceof Error ? error.message : String(error)}`);
  });
  await slim(root);
  const files = filesIn(folder);
  await copyFile(join(root, 'boot', `vmlinuz-${version}`), files.kernel);
  await writeFile(files.firstRoot, cpioArchive(await firstRoot(root, version, `${folder}.modules`)));
  await must(['truncate', `--size=${diskSize}`, files.disk]);
  await must(
    ['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'lazy_itable_init=1', '-d', root, files.disk],
    { timeoutMs: 300_000 },
  );
  await rm(root, { recursive: true, force: true });
}

async function firstRoot(root: string, version: string, work: string): Promise<readonly ArchiveEntry[]> {
  const folders = ['bin', 'modules', 'proc', 'sys', 'dev', 'new', 'vm'].map((name) => ({ name }));
  const drivers = new Map<string, Buffer>();
  await mkdir(work, { recursive: true });
  for (const module of modules) {
    const needed = await must([
      'modprobe',
      '--dirname',
      root,
      '--set-version',
      version,
      '--show-depends',
      module,
    ]);
    for (const [, path = ''] of needed.matchAll(/^insmod (\S+)/gm)) {
      const name = basename(path).replace(/\.(xz|zst)$/, '');
      if (!drivers.has(name)) drivers.set(name, await unpacked(path, join(work, name)));
    }
  }
  const order = [...drivers.keys()].map((name) => `${name}\n`).join('');
  return [
    ...folders,
    { name: 'bin/busybox', content: await readFile(join(root, 'usr/bin/busybox')), executable: true },
    { name: 'modules/order', content: order },
    ...[...drivers].map(([name, content]) => ({ name: `modules/${name}`, content })),
  ];
}

async function unpacked(path: string, target: string): Promise<Buffer> {
  const suffix = path.endsWith('.xz') ? '.xz' : path.endsWith('.zst') ? '.zst' : '';
  await copyFile(path, `${target}${suffix}`);
  if (suffix === '.xz') await must(['xz', '--decompress', '--force', `${target}.xz`]);
  if (suffix === '.zst') await must(['zstd', '--decompress', '--force', '-q', `${target}.zst`]);
  return await readFile(target);
}
