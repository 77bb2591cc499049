/** Volumes as btrfs subvolumes with a quota group each. */
import { chmod, lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { referencedBytes, subvolumeIdOf, subvolumes, subvolumesBelow } from './btrfs-tree.ts';
import { demandCapability } from './capability.ts';
import { directoryExists, renameDurably, syncDirectory } from './directory.ts';
import { filesystemErrors } from './errors.ts';
import { putLabel, readLabel, writeLabel } from './label.ts';
import type {
  CreatedVolume,
  FilesystemOptions,
  QuotaFilesystem,
  QuotaVolumes,
  VolumeDestroyer,
} from './quota-volumes.ts';
import { RootWatch } from './root-watch.ts';
import { demand, type RunTool } from './tool.ts';
import { unfinishedPath, unfinishedPaths } from './unfinished.ts';
import { checkName, checkSize } from './volume-name.ts';

/** The root directory of every subvolume has this inode number; no plain directory has it. */
const subvolumeInode = 256;
const budgetMs = 30_000;
const validateMs = 10_000;
/** Undoing gets a budget of its own: what made the step fail may be that the caller's ran out. */
const undoMs = 10_000;
const roomForLabelMb = 1;
const mib = 1024n * 1024n;
const gone = /cannot find|No such file or directory/;

export function btrfsFilesystem(options: FilesystemOptions): QuotaFilesystem {
  const volumes = new BtrfsVolumes(options);
  return { volumes, destroyer: volumes.destroyer };
}

class BtrfsVolumes implements QuotaVolumes {
  readonly kind = 'btrfs';
  readonly root: string;
  readonly destroyer: VolumeDestroyer = { destroy: (name) => this.#destroy(name) };
  readonly #run: RunTool;
  readonly #warn: (message: string) => void;
  readonly #watch: RootWatch;
  /** The groups of destroyed volumes go with the next look: they slow nothing for as long, and a destroy does not wait. */
  #hasStaleGroups = false;

  constructor({ run, warn, ...rootOptions }: FilesystemOptions) {
    this.root = rootOptions.root;
    this.#run = run;
    this.#warn = warn;
    this.#watch = new RootWatch(rootOptions);
  }

  async validate(): Promise<void> {
    const shown = await this.#run(['btrfs', 'qgroup', 'show', this.root], { timeoutMs: validateMs });
    if (shown.code !== 0) {
      throw filesystemErrors.error(
        'QUOTAS_OFF',
        `quotas are not enabled on ${this.root} (run: btrfs quota enable ${this.root}): ${shown.output.trim()}`,
      );
    }
    await demandCapability(this.kind, this.#warn);
    for (const path of await unfinishedPaths(this.root)) await this.#delete(path, budgetMs);
    await this.#clearStaleGroups();
  }

  hostPath(name: string): string {
    checkName(name);
    return join(this.root, name);
  }

  list(): Promise<readonly string[]> {
    return this.#watch.list();
  }

  async create(name: string, sizeMb: number, label?: string): Promise<CreatedVolume> {
    const path = this.hostPath(name);
    checkSize(name, sizeMb);
    if (await this.#isSubvolume(path)) {
      await this.#limit(path, sizeMb);
      // Whoever made it may have died before its name was on disk.
      await syncDirectory(this.root);
      return { path, created: false };
    }
    const making = unfinishedPath(this.root, name);
    if (await this.#isSubvolume(making)) await this.#delete(making, budgetMs);
    await demand(this.#run, ['btrfs', 'subvolume', 'create', making], { timeoutMs: budgetMs });
    try {
      await chmod(making, 0o700);
      await this.#limit(making, sizeMb);
      // The sync of its name below writes out all that was done before, and the making of a subvolume with it.
      if (label !== undefined) putLabel(making, label);
      await rename(making, path);
    } catch (error) {
      await this.#delete(making, undoMs).catch((undo: unknown) =>
        this.#warn(`could not remove ${making} after its quota could not be set: ${String(undo)}`),
      );
      throw error;
    }
    await syncDirectory(this.root);
    return { path, created: true };
  }

  async label(name: string): Promise<string | undefined> {
    return readLabel(this.hostPath(name));
  }

  async setLabel(name: string, label: string, sizeMb: number): Promise<void> {
    const path = this.hostPath(name);
    try {
      await writeLabel(path, label);
    } catch (error) {
      if (errnoOf(error) !== 'EDQUOT') throw error;
      await this.#limit(path, sizeMb + roomForLabelMb);
      try {
        await writeLabel(path, label);
      } finally {
        await this.#limit(path, sizeMb);
      }
    }
  }

  async ensureQuota(name: string, sizeMb: number): Promise<void> {
    const path = this.hostPath(name);
    checkSize(name, sizeMb);
    if (!(await this.#isSubvolume(path))) return;
    await this.#limit(path, sizeMb);
  }

  /** Anybody who may write to a directory may make subvolumes in it, with quota groups of their own. */
  async escaping(): Promise<readonly string[]> {
    if (this.#hasStaleGroups) await this.#clearStaleGroups();
    const names = await this.list();
    const parents = new Set(subvolumes(this.root).map(({ parent }) => parent));
    return names.filter((name) => parents.has(subvolumeIdOf(this.hostPath(name))));
  }

  async rename(from: string, to: string): Promise<void> {
    await renameDurably(this.hostPath(from), this.hostPath(to));
  }

  /** With what lies in subvolumes that were made inside: it is the volume's, too. */
  async usage(name: string): Promise<number> {
    const id = subvolumeIdOf(this.hostPath(name));
    await this.#sync();
    const all = [id, ...subvolumesBelow(subvolumes(this.root), id)];
    const bytes = all.map((one) => referencedBytes(this.root, one));
    const [own] = bytes;
    if (own === undefined) {
      throw filesystemErrors.error(
        'USAGE_UNKNOWN',
        `btrfs has no quota group 0/${id} for volume ${name}; are quotas enabled?`,
      );
    }
    return Number(bytes.reduce<bigint>((sum, one) => sum + (one ?? 0n), 0n));
  }

  /**
   * What lies in subvolumes inside is taken off the volume's own limit, and may not grow: together they stay within the size,
   * and with its own limit reached, no more of them can be made.
   */
  async #limit(path: string, sizeMb: number): Promise<void> {
    const own = subvolumeIdOf(path);
    const inside = subvolumesBelow(subvolumes(this.root), own);
    if (inside.length > 0) await this.#sync();
    let left = BigInt(sizeMb) * mib;
    for (const id of inside) {
      const held = referencedBytes(this.root, id) ?? 0n;
      left -= held;
      await this.#qgroupLimit(String(held < 1n ? 1n : held), id);
    }
    await this.#qgroupLimit(String(left < mib ? mib : left), own);
  }

  /** Groups count what has been written out. By the tool: it can take long, and nothing else may wait for it. */
  async #sync(): Promise<void> {
    await demand(this.#run, ['btrfs', 'filesystem', 'sync', this.root], { timeoutMs: budgetMs });
  }

  /** By its number and through the root: asked through the volume, a full one has no room left to be given more. */
  async #qgroupLimit(bytes: string, id: bigint): Promise<void> {
    const argv = ['btrfs', 'qgroup', 'limit', bytes, `0/${id}`, this.root] as const;
    await demand(this.#run, argv, { timeoutMs: budgetMs });
  }

  /** A plain directory under a volume's name would have no quota and would survive its own destruction: an error. */
  async #isSubvolume(path: string): Promise<boolean> {
    if (!(await directoryExists(path))) return false;
    const { ino } = await lstat(path);
    if (ino === subvolumeInode) return true;
    throw filesystemErrors.error('NOT_A_VOLUME', `${path} is a plain directory and not a btrfs subvolume`, {
      details: { path },
    });
  }

  async #destroy(name: string): Promise<void> {
    const path = this.hostPath(name);
    if (!(await this.#isSubvolume(path))) {
      // Whoever deleted it may have died before that was on disk.
      await syncDirectory(this.root);
      return;
    }
    await this.#delete(path, budgetMs);
    if (await directoryExists(path)) {
      throw filesystemErrors.error('STILL_THERE', `${path} is still there after btrfs reported it deleted`, {
        details: { path },
      });
    }
    this.#hasStaleGroups = true;
  }

  /**
   * Waits for the commit, so that a deletion that was reported does not come back after a power cut. Subvolumes inside go
   * first, innermost at the start: anybody who may write to a directory may make one there, and none of them can be left.
   */
  async #delete(path: string, timeoutMs: number): Promise<void> {
    if (!(await directoryExists(path))) return;
    const own = subvolumeIdOf(path);
    const inside = subvolumesBelow(subvolumes(this.root), own);
    // To take something out of a directory needs room for a moment, and there may be none.
    if (inside.length > 0) for (const id of [own, ...inside]) await this.#qgroupLimit('none', id);
    for (const id of inside.toReversed())
      await this.#deletion(['--subvolid', String(id), this.root], path, timeoutMs);
    await this.#deletion([path], path, timeoutMs);
  }

  async #deletion(what: readonly string[], path: string, timeoutMs: number): Promise<void> {
    const answer = await this.#run(['btrfs', 'subvolume', 'delete', '--commit-after', ...what], {
      timeoutMs,
    });
    if (answer.code === 0 || (gone.test(answer.output) && !(await directoryExists(path)))) return;
    throw filesystemErrors.error('TOOL_FAILED', `btrfs could not delete ${path}: ${answer.output.trim()}`, {
      details: { path },
    });
  }

  /**
   * The quota group of a deleted subvolume stays behind, and every stale one slows each later scan. Best effort: a group
   * whose subvolume is still being cleaned up in the background goes with the next call.
   */
  async #clearStaleGroups(): Promise<void> {
    this.#hasStaleGroups = false;
    const cleared = await this.#run(['btrfs', 'qgroup', 'clear-stale', this.root], {
      timeoutMs: budgetMs,
    }).catch((error: unknown) => ({ code: 1, stdout: '', output: String(error) }));
    if (/busy/i.test(cleared.output)) this.#hasStaleGroups = true;
    if (cleared.code !== 0 && !/unknown token|busy/i.test(cleared.output)) {
      this.#warn(`could not clear stale quota groups of ${this.root}: ${cleared.output.trim()}`);
    }
  }
}
