/** Volumes as xfs directories with a project quota each. */
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { demandCapability } from './capability.ts';
import { directoryExists, isErrno, renameDurably, syncDirectory } from './directory.ts';
import { filesystemErrors } from './errors.ts';
import { readLabel, writeLabel } from './label.ts';
import { ProjectIds } from './project-ids.ts';
import { readMarker, writeMarker } from './project-marker.ts';
import type {
  CreatedVolume,
  FilesystemOptions,
  QuotaFilesystem,
  QuotaVolumes,
  VolumeDestroyer,
} from './quota-volumes.ts';
import { RootWatch } from './root-watch.ts';
import { demand, type ToolAnswer } from './tool.ts';
import { unfinishedPath, unfinishedPaths } from './unfinished.ts';
import { checkName, checkSize } from './volume-name.ts';

const budgetMs = 60_000;
const validateMs = 10_000;
const clearMs = 30_000;
const fewestInodes = 262_144;
const defaultAvgFileBytes = 1024;

export interface XfsOptions extends FilesystemOptions {
  /** A limit of a destroyed volume could not be cleared: it stays in the file system's table. */
  readonly onClearFailed: () => void;
  /** Average file size from which the ceiling of inodes follows; 0 or less means 1024. */
  readonly minAvgFileBytes: number;
}

export function inodeCeiling(sizeMb: number, minAvgFileBytes: number): number {
  const average = minAvgFileBytes > 0 ? minAvgFileBytes : defaultAvgFileBytes;
  return Math.max(fewestInodes, Math.floor((sizeMb * 2 ** 20) / average));
}

/** The mount point that holds `path`: xfs_quota works on nothing else. */
export async function mountPointOf(path: string): Promise<string> {
  let current = resolve(path);
  for (;;) {
    const stat = await lstat(current, { bigint: true }).catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    });
    const parent = dirname(current);
    if (parent === current) return current;
    if (stat !== undefined && (await lstat(parent, { bigint: true })).dev !== stat.dev) return current;
    current = parent;
  }
}

export async function xfsFilesystem(options: XfsOptions): Promise<QuotaFilesystem> {
  // xfs_quota takes its command as one text and splits it at spaces.
  if (/[\s"'\\]/.test(options.root)) {
    throw filesystemErrors.error(
      'ROOT_UNSUPPORTED',
      `the volume root ${options.root} has spaces or quotes in its path`,
    );
  }
  const volumes = new XfsVolumes(options, await mountPointOf(options.root));
  return { volumes, destroyer: volumes.destroyer };
}

class XfsVolumes implements QuotaVolumes {
  readonly kind = 'xfs';
  readonly root: string;
  readonly destroyer: VolumeDestroyer = { destroy: (name) => this.#destroy(name) };
  readonly #options: XfsOptions;
  readonly #mountPoint: string;
  readonly #ids = new ProjectIds();
  readonly #watch: RootWatch;

  constructor(options: XfsOptions, mountPoint: string) {
    this.root = options.root;
    this.#options = options;
    this.#mountPoint = mountPoint;
    this.#watch = new RootWatch(options);
  }

  async validate(): Promise<void> {
    const report = await this.#options.run(['xfs_quota', '-x', '-c', 'report -p', this.#mountPoint], {
      timeoutMs: validateMs,
    });
    if (report.code !== 0) {
      throw filesystemErrors.error(
        'QUOTAS_OFF',
        `project quotas are not enabled on ${this.#mountPoint} (mount it with the pquota option): ${report.output.trim()}`,
      );
    }
    await demandCapability(this.kind, this.#options.warn);
    for (const path of await unfinishedPaths(this.root)) await rm(path, { recursive: true, force: true });
    for (const name of await this.list()) {
      // One bad volume must not keep all others from their tenants: nothing can be done with it until somebody looks at it.
      await this.#track(name).catch((error: unknown) => this.#options.warn(String(error)));
    }
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
    if (await directoryExists(path)) {
      // Tagged again, too: a volume that lost its tag would have a limit that counts nothing.
      await this.#apply(name, path, sizeMb);
      // Whoever made it may have died before its name was on disk.
      await syncDirectory(this.root);
      return { path, created: false };
    }
    const making = unfinishedPath(this.root, name);
    const id = this.#ids.allocate(name);
    try {
      await rm(making, { recursive: true, force: true });
      await mkdir(making, { mode: 0o700 });
      await writeMarker(making, id);
      await this.#quota(`project -s -p ${making} ${id}`);
      await this.#limit(id, sizeMb);
      if (label !== undefined) await writeLabel(making, label);
      await syncDirectory(making);
      await rename(making, path);
    } catch (error) {
      await rm(making, { recursive: true, force: true }).catch((undo: unknown) =>
        this.#options.warn(`could not remove ${making} after its quota could not be set: ${String(undo)}`),
      );
      this.#ids.forget(name);
      throw error;
    }
    await syncDirectory(this.root);
    return { path, created: true };
  }

  async label(name: string): Promise<string | undefined> {
    return readLabel(this.hostPath(name));
  }

  async setLabel(name: string, label: string): Promise<void> {
    await writeLabel(this.hostPath(name), label);
  }

  async ensureQuota(name: string, sizeMb: number): Promise<void> {
    const path = this.hostPath(name);
    checkSize(name, sizeMb);
    if (await directoryExists(path)) await this.#apply(name, path, sizeMb);
  }

  /** What is made inside belongs to the same project. */
  async escaping(): Promise<readonly string[]> {
    return [];
  }

  async rename(from: string, to: string): Promise<void> {
    await renameDurably(this.hostPath(from), this.hostPath(to));
    this.#ids.rename(from, to);
  }

  async usage(name: string): Promise<number> {
    this.hostPath(name);
    const id = await this.#demandMarker(name);
    const { stdout } = await this.#quota('report -p -b -N');
    const row = stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([project]) => project?.replace(/^#/, '') === String(id));
    const blocks = Number(row?.[1] ?? Number.NaN);
    if (!Number.isSafeInteger(blocks)) {
      throw filesystemErrors.error(
        'USAGE_UNKNOWN',
        `xfs_quota reports nothing for project ${id} of volume ${name}`,
      );
    }
    return blocks * 1024;
  }

  async #apply(name: string, path: string, sizeMb: number): Promise<void> {
    const id = await this.#demandMarker(name);
    this.#ids.track(name, id);
    await this.#quota(`project -s -p ${path} ${id}`);
    await this.#limit(id, sizeMb);
  }

  async #track(name: string): Promise<void> {
    this.#ids.track(name, await this.#demandMarker(name));
  }

  async #demandMarker(name: string): Promise<number> {
    const marker = await readMarker(this.hostPath(name));
    if (marker.state === 'present') return marker.id;
    const why = marker.state === 'absent' ? 'it has no marker' : `its marker cannot be used: ${marker.why}`;
    throw filesystemErrors.error('MARKER_UNUSABLE', `the project id of volume ${name} is unknown: ${why}`, {
      details: { name },
    });
  }

  async #limit(id: number, sizeMb: number): Promise<void> {
    const inodes = inodeCeiling(sizeMb, this.#options.minAvgFileBytes);
    await this.#quota(`limit -p bhard=${sizeMb}m ihard=${inodes} ${id}`);
  }

  /** The mount point is always the last argument: given a directory below it, xfs_quota does nothing and says nothing. */
  #quota(command: string, timeoutMs = budgetMs): Promise<ToolAnswer> {
    return demand(this.#options.run, ['xfs_quota', '-x', '-c', command, this.#mountPoint], { timeoutMs });
  }

  async #destroy(name: string): Promise<void> {
    const path = this.hostPath(name);
    const id = await this.#idToClear(name, path);
    // While files with the tag may be left, the limit stays and the id is not given away.
    await rm(path, { recursive: true, force: true });
    if (await directoryExists(path)) {
      throw filesystemErrors.error('STILL_THERE', `${path} is still there after its removal`, {
        details: { path },
      });
    }
    await syncDirectory(this.root);
    if (id !== undefined) await this.#clear(name, id);
    this.#ids.forget(name);
  }

  /** Which limit belongs to the volume; never guessed, and never project 0, which is everybody's. */
  async #idToClear(name: string, path: string): Promise<number | undefined> {
    const marker = await readMarker(path);
    if (marker.state === 'present') return marker.id;
    if (marker.state === 'absent') return this.#ids.idOf(name);
    this.#options.warn(
      `the marker of volume ${name} cannot be used (${marker.why}): its limit is left in the table`,
    );
    return undefined;
  }

  async #clear(name: string, id: number): Promise<void> {
    try {
      await this.#quota(`limit -p bhard=0 bsoft=0 ihard=0 isoft=0 ${id}`, clearMs);
    } catch (error) {
      this.#options.onClearFailed();
      this.#options.warn(
        `could not clear the limit of project ${id} of destroyed volume ${name}: ${String(error)}`,
      );
    }
  }
}
