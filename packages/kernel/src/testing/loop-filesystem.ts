/** A file system of its own on a loop file, for tests; removed at the end, or by the next run if this one is killed. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const prefix = 'berth-loop-';

export function tool(...[command = '', ...args]: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

export function release(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const inside = mounts
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  // The newest first: one may lie on what another holds.
  for (const path of inside.reverse()) tool('umount', '--lazy', path);
  rmSync(folder, { recursive: true, force: true });
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What killed runs left: folders whose process is gone. */
function releaseLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length).split('-')[0]);
    if (!processLives(pid)) release(join(tmpdir(), name));
  }
}

export interface LoopFilesystem extends Disposable {
  readonly root: string;
  unmount(): void;
  mount(): void;
}

/** How a file system comes onto a disk, and that to its place. */
interface DiskRecipe {
  /** Mounted when it returns. */
  readonly make: (image: string, root: string) => void;
  readonly mount: (image: string, root: string) => void;
  readonly unmount: (root: string) => void;
}

export type DiskKind = 'btrfs' | 'xfs' | 'ext4' | 'zfs';

export const diskKinds: Readonly<Record<DiskKind, DiskRecipe>> = {
  btrfs: onLoop(['mkfs.btrfs', '--quiet'], 'loop', (root) => tool('btrfs', 'quota', 'enable', root)),
  /** With project quotas, which not every kernel has. */
  xfs: onLoop(['mkfs.xfs', '-q'], 'loop,prjquota'),
  ext4: onLoop(['mkfs.ext4', '-q'], 'loop'),
  /** A pool of its own, which no kernel but a virtual machine's has; with a dataset for volumes, called so. */
  zfs: {
    make: (image, root) => {
      const pool = poolAt(root);
      tool('zpool', 'create', '-f', '-o', 'cachefile=none', '-O', `mountpoint=${root}`, pool, image);
      tool('zfs', 'create', `${pool}/volumes`);
      tool('zpool', 'sync', pool);
    },
    mount: (image, root) => tool('zpool', 'import', '-f', '-o', 'cachefile=none', '-d', image, poolAt(root)),
    unmount: (root) => tool('zpool', 'export', '-f', poolAt(root)),
  },
};

const poolAt = (root: string): string => `${basename(dirname(root))}-${basename(root)}`;

function onLoop(
  format: readonly string[],
  options: string,
  prepare: (root: string) => void = () => undefined,
): DiskRecipe {
  const mount = (image: string, root: string): void => tool('mount', '-o', options, image, root);
  return {
    make: (image, root) => {
      tool(...format, image);
      mount(image, root);
      prepare(root);
    },
    mount,
    unmount: (root) => tool('umount', '--detach-loop', root),
  };
}

export const makeBtrfs = (sizeMb = 256): LoopFilesystem => make(sizeMb, diskKinds.btrfs);

export const makeXfs = (sizeMb = 400): LoopFilesystem => make(sizeMb, diskKinds.xfs);

/** A pool in a file, with a dataset for volumes whose root is told. Nobody clears it away if this process is killed. */
export function makeZfs(sizeMb = 512): LoopFilesystem {
  const folder = newFolder();
  const [image, root] = [join(folder, 'image'), join(folder, 'root')];
  const pool = basename(folder);
  writeFileSync(image, '');
  truncateSync(image, sizeMb * 2 ** 20);
  tool('zpool', 'create', '-f', '-o', 'cachefile=none', '-O', 'mountpoint=none', pool, image);
  tool('zfs', 'create', '-o', `mountpoint=${root}`, `${pool}/volumes`);
  return {
    root,
    mount: () => tool('zpool', 'import', '-o', 'cachefile=none', '-d', folder, pool),
    unmount: () => tool('zpool', 'export', '-f', pool),
    [Symbol.dispose]: () => {
      tool('zpool', 'destroy', '-f', pool);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** For a file system and all that belongs to it: removed by the next run if this one is killed. */
export function newFolder(): string {
  releaseLeftovers();
  return mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
}

function make(sizeMb: number, recipe: DiskRecipe): LoopFilesystem {
  const folder = newFolder();
  const image = join(folder, 'image');
  const root = join(folder, 'root');
  writeFileSync(image, '');
  truncateSync(image, sizeMb * 2 ** 20);
  mkdirSync(root);
  try {
    recipe.make(image, root);
  } catch (error) {
    release(folder);
    throw error;
  }
  return {
    root,
    mount: () => recipe.mount(image, root),
    unmount: () => recipe.unmount(root),
    [Symbol.dispose]: () => release(folder),
  };
}
