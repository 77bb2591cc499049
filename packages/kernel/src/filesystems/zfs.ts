/** Volumes as zfs datasets with a refquota each. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryExists, judgeRename } from './directory.ts';
import { filesystemErrors } from './errors.ts';
import type {
  CreatedVolume,
  FilesystemOptions,
  QuotaFilesystem,
  QuotaVolumes,
  VolumeDestroyer,
} from './quota-volumes.ts';
import { RootWatch } from './root-watch.ts';
import { demand } from './tool.ts';
import { checkName, checkSize } from './volume-name.ts';

const budgetMs = 30_000;
const validateMs = 10_000;
const undoMs = 10_000;
/** A property of our own on the dataset: set in the same step as its quota, and renamed with it. */
const labelProperty = 'berth:volume';
const absent = /does not exist|no datasets available/;

type Dataset = { readonly exists: false } | { readonly exists: true; readonly mounted: boolean };

export function zfsFilesystem(options: FilesystemOptions): QuotaFilesystem {
  const volumes = new ZfsVolumes(options);
  return { volumes, destroyer: volumes.destroyer };
}

class ZfsVolumes implements QuotaVolumes {
  readonly kind = 'zfs';
  readonly root: string;
  readonly destroyer: VolumeDestroyer = { destroy: (name) => this.#destroy(name) };
  readonly #options: FilesystemOptions;
  readonly #watch: RootWatch;
  #parent: string | undefined;

  constructor(options: FilesystemOptions) {
    this.root = options.root;
    this.#options = options;
    this.#watch = new RootWatch(options);
  }

  async validate(): Promise<void> {
    const answer = await this.#options.run(['zfs', 'list', '-H', '-o', 'name', this.root], {
      timeoutMs: validateMs,
    });
    const parent = answer.stdout.trim();
    if (answer.code !== 0 || parent === '' || parent.includes('\n')) {
      throw filesystemErrors.error(
        'ROOT_UNSUPPORTED',
        `${this.root} belongs to no zfs dataset: ${answer.output.trim()}`,
      );
    }
    this.#parent = parent;
  }

  hostPath(name: string): string {
    checkName(name);
    return join(this.root, name);
  }

  /**
   * Datasets, not directories: the directory of a dataset that is not mounted would pass for an empty volume. The root
   * is still looked at, so that a root that is gone is an error here, too.
   */
  async list(): Promise<readonly string[]> {
    await this.#watch.list();
    const prefix = `${this.#dataset('')}`;
    const { stdout } = await demand(
      this.#options.run,
      ['zfs', 'list', '-H', '-r', '-d', '1', '-t', 'filesystem', '-o', 'name', prefix.slice(0, -1)],
      { timeoutMs: budgetMs },
    );
    return stdout
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length))
      .filter((name) => this.#options.isManaged(name))
      .sort();
  }

  async create(name: string, sizeMb: number, label?: string): Promise<CreatedVolume> {
    const path = this.hostPath(name);
    checkSize(name, sizeMb);
    const state = await this.#look(name);
    if (!state.exists) {
      await this.#make(name, path, sizeMb, label);
      return { path, created: true };
    }
    if (!state.mounted) await this.#demand('mount', this.#dataset(name));
    await this.#limit(name, sizeMb);
    return { path, created: false };
  }

  /** What the dataset itself has, not what it inherits. */
  async label(name: string): Promise<string | undefined> {
    this.hostPath(name);
    const { stdout } = await this.#demand(
      'get',
      '-H',
      '-s',
      'local',
      '-o',
      'value',
      labelProperty,
      this.#dataset(name),
    );
    return stdout.trim() === '' ? undefined : stdout.trim();
  }

  async setLabel(name: string, label: string): Promise<void> {
    this.hostPath(name);
    await this.#demand('set', `${labelProperty}=${label}`, this.#dataset(name));
  }

  async ensureQuota(name: string, sizeMb: number): Promise<void> {
    this.hostPath(name);
    checkSize(name, sizeMb);
    if ((await this.#look(name)).exists) await this.#limit(name, sizeMb);
  }

  /** What is made inside belongs to the same dataset. */
  async escaping(): Promise<readonly string[]> {
    return [];
  }

  async rename(from: string, to: string): Promise<void> {
    this.hostPath(from);
    this.hostPath(to);
    const [old, target] = [await this.#look(from), await this.#look(to)];
    if (judgeRename(this.#dataset(from), this.#dataset(to), old.exists, target.exists) === 'rename') {
      await this.#demand('rename', this.#dataset(from), this.#dataset(to));
    }
  }

  async usage(name: string): Promise<number> {
    this.hostPath(name);
    const { stdout } = await this.#demand('get', '-Hp', '-o', 'value', 'referenced', this.#dataset(name));
    const bytes = Number(stdout.trim() || Number.NaN);
    if (!Number.isSafeInteger(bytes)) {
      throw filesystemErrors.error(
        'USAGE_UNKNOWN',
        `zfs says ${JSON.stringify(stdout.trim())} referenced by ${this.#dataset(name)}`,
      );
    }
    return bytes;
  }

  #dataset(name: string): string {
    if (this.#parent === undefined) {
      throw filesystemErrors.error(
        'ROOT_UNSUPPORTED',
        `the dataset of ${this.root} is not known before the start-up check`,
      );
    }
    return `${this.#parent}/${name}`;
  }

  #demand(...args: readonly string[]): ReturnType<typeof demand> {
    return demand(this.#options.run, ['zfs', ...args], { timeoutMs: budgetMs });
  }

  async #look(name: string): Promise<Dataset> {
    const argv = ['zfs', 'list', '-H', '-o', 'mounted', this.#dataset(name)] as const;
    const answer = await this.#options.run(argv, { timeoutMs: budgetMs });
    if (answer.code === 0) return { exists: true, mounted: answer.stdout.trim() === 'yes' };
    if (absent.test(answer.output)) return { exists: false };
    throw filesystemErrors.error(
      'TOOL_FAILED',
      `"${argv.join(' ')}" ended with ${answer.code}: ${answer.output.trim()}`,
    );
  }

  /** Both in one call: zfs enforces the tighter of the two, and older releases set `quota`. */
  async #limit(name: string, sizeMb: number): Promise<void> {
    await this.#demand('set', `refquota=${sizeMb}M`, 'quota=none', this.#dataset(name));
  }

  async #make(name: string, path: string, sizeMb: number, label: string | undefined): Promise<void> {
    const dataset = this.#dataset(name);
    try {
      const labelled = label === undefined ? [] : ['-o', `${labelProperty}=${label}`];
      await this.#demand('create', '-o', `refquota=${sizeMb}M`, ...labelled, dataset);
      const made = await this.#look(name);
      // A foreign mountpoint or canmount setting would put the data on the parent, where no quota holds it.
      if (!made.exists || !made.mounted || !(await directoryExists(path))) {
        throw filesystemErrors.error(
          'NOT_A_VOLUME',
          `dataset ${dataset} was made but is not mounted at ${path}`,
          {
            details: { dataset, path },
          },
        );
      }
      await chmod(path, 0o700);
    } catch (error) {
      await this.#undo(dataset);
      throw error;
    }
  }

  async #undo(dataset: string): Promise<void> {
    const answer = await this.#options
      .run(['zfs', 'destroy', '-f', dataset], { timeoutMs: undoMs })
      .catch((error: unknown) => ({ code: 1, stdout: '', output: String(error) }));
    if (answer.code !== 0 && !absent.test(answer.output)) {
      this.#options.warn(`could not remove ${dataset} after it could not be set up: ${answer.output.trim()}`);
    }
  }

  async #destroy(name: string): Promise<void> {
    this.hostPath(name);
    const dataset = this.#dataset(name);
    const answer = await this.#options.run(['zfs', 'destroy', '-f', dataset], { timeoutMs: budgetMs });
    if (answer.code !== 0 && !absent.test(answer.output)) {
      throw filesystemErrors.error(
        'TOOL_FAILED',
        `zfs could not destroy ${dataset}: ${answer.output.trim()}`,
        {
          details: { dataset },
        },
      );
    }
    if ((await this.#look(name)).exists) {
      throw filesystemErrors.error(
        'STILL_THERE',
        `${dataset} is still there after zfs reported it destroyed`,
      );
    }
  }
}
