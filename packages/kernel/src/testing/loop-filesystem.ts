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
import { join } from 'node:path';

const prefix = 'berth-loop-';

function tool(...[command = '', ...args]: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

function release(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const root = join(folder, 'root');
  if (mounts.includes(` ${root} `)) tool('umount', '--detach-loop', root);
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

export function makeBtrfs(sizeMb = 256): LoopFilesystem {
  return make(sizeMb, ['mkfs.btrfs', '--quiet'], 'loop', (root) => tool('btrfs', 'quota', 'enable', root));
}

/** With project quotas, which not every kernel has. */
export function makeXfs(sizeMb = 400): LoopFilesystem {
  return make(sizeMb, ['mkfs.xfs', '-q'], 'loop,prjquota', () => undefined);
}

function make(
  sizeMb: number,
  format: readonly string[],
  options: string,
  prepare: (root: string) => void,
): LoopFilesystem {
  releaseLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  const image = join(folder, 'image');
  const root = join(folder, 'root');
  writeFileSync(image, '');
  truncateSync(image, sizeMb * 2 ** 20);
  mkdirSync(root);
  const mount = (): void => tool('mount', '-o', options, image, root);
  try {
    tool(...format, image);
    mount();
    prepare(root);
  } catch (error) {
    release(folder);
    throw error;
  }
  return {
    root,
    mount,
    unmount: () => tool('umount', '--detach-loop', root),
    [Symbol.dispose]: () => release(folder),
  };
}
