/**
 * A host on which containers from before there were stacks have data: the real migration on an engine in memory and on volumes
 * that are folders. At each call of the engine, each commit and each change of a volume something can go wrong.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@berth/engine';
import { Scope, VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import type { Config } from '../config/index.ts';
import { LeaseBook } from '../leases/index.ts';
import { canonicalVolume, label, legacyVolume } from '../names/index.ts';
import { GroupCommit, ReleaseStore } from '../stores/index.ts';
import type { Workload } from '../workload/index.ts';
import { Faults } from './faults.ts';
import { FolderFilesystem } from './folder-filesystem.ts';
import { MemoryEngine } from './memory-engine.ts';
import { storeFolder } from './store-folder.ts';
import { workloadConfig, workloadInMemory } from './workload-in-memory.ts';

/** Folders as volumes; what was not synced is taken back when the power fails. */
class FaultyFolders extends FolderFilesystem {
  readonly #faults: Faults;

  constructor(faults: Faults) {
    super();
    this.#faults = faults;
  }

  async #unsynced(step: string, takeBack: () => Promise<unknown>): Promise<void> {
    const { fired } = this.#faults;
    try {
      this.#faults.reach(`${step} (not synced)`, 'done');
    } catch {
      if (fired === undefined && this.#faults.fired === 'power') await takeBack();
      await new Promise(() => undefined);
    }
  }

  override async list(): Promise<readonly string[]> {
    await this.#faults.pass('list', 'before');
    return await super.list();
  }

  override async create(name: string, sizeMb: number, owner?: string) {
    await this.#faults.pass(`create ${name}`, 'before');
    const made = await super.create(name, sizeMb, owner);
    await this.#faults.pass(`create ${name}`, 'done');
    return made;
  }

  override async rename(from: string, to: string): Promise<void> {
    await this.#faults.pass(`rename ${from}`, 'before');
    const moves = existsSync(this.hostPath(from));
    await super.rename(from, to);
    if (moves) await this.#unsynced(`rename ${from}`, () => super.rename(to, from));
    await this.#faults.pass(`rename ${from}`, 'done');
  }
}

const uuid = '0190f5fb-0000-7000-8000-000000000001';
const image = 'docker.io/acme/db:1';
const flat = JSON.stringify({ image, user: '0' });
/** Longer than old containers stay. */
const graceMs = 61_000;
const longestWaitMs = 20_000;

interface Process {
  readonly scope: Scope;
  readonly clock: VirtualClock;
  readonly work: Workload;
}

export class MigrationWorld implements AsyncDisposable {
  readonly faults = new Faults();
  readonly engine = new MemoryEngine({ volumes: ['/data'], findsBinds: true });
  readonly disk = new FaultyFolders(this.faults);
  readonly instances: number;
  readonly releases: ReleaseStore;
  readonly #folder = storeFolder();
  readonly #config: Config;
  #process: Process | undefined;

  static async open(instances = 2): Promise<MigrationWorld> {
    const world = new MigrationWorld(await workloadConfig(), instances);
    await world.#leave();
    return world;
  }

  private constructor(config: Config, instances: number) {
    this.#config = config;
    this.instances = instances;
    this.releases = new ReleaseStore(this.#folder.path('releases.db'));
    const commit = this.releases.file.transaction.bind(this.releases.file);
    this.releases.file.transaction = <T>(work: () => T): T => {
      this.faults.reach('commit releases', 'before');
      const result = commit(work);
      this.faults.reach('commit releases', 'done');
      return result;
    };
  }

  /** A lease as an old version has left it, running, with something written in each volume. */
  async #leave(): Promise<void> {
    const changes = [
      { kind: 'append', version: 1, manifest: new TextEncoder().encode(flat) } as const,
      { kind: 'activate', version: 1 } as const,
    ];
    this.releases.file.transaction(() => this.releases.apply(uuid, changes, 1));
    for (let index = 0; index < this.instances; index++) {
      const source = join(this.disk.hostPath(legacyVolume({ lease: uuid, index })), 'data');
      mkdirSync(source, { recursive: true });
      writeFileSync(join(source, 'file'), this.contentOf(index));
      const labels = {
        [label.managed]: 'true',
        [label.backendName]: this.#config.name,
        [label.lease]: uuid,
        [label.tenant]: 'manifest1old',
        [label.provider]: 'p',
        [label.sku]: 'small',
        [label.instanceIndex]: String(index),
        [label.createdAt]: '2026-01-02T03:04:05Z',
      };
      const { id } = await this.engine.containers.create(
        {
          Image: image,
          Labels: labels,
          HostConfig: { Mounts: [{ Type: 'bind', Source: source, Target: '/data' }] },
        },
        { name: `fred-${uuid}-${index}` },
      );
      await this.engine.containers.start(id);
    }
    this.faults.reset();
  }

  contentOf(index: number): string {
    return `data of instance ${index}`;
  }

  #begin(): Process {
    const scope = new Scope('migration', () => undefined);
    const clock = new VirtualClock();
    const { log } = new RecordingLog();
    const book = new LeaseBook(this.releases, new GroupCommit(this.releases.file));
    const { releases, disk } = this;
    const config = this.#config;
    const work = workloadInMemory({
      scope,
      clock,
      log,
      config,
      book,
      releases,
      disk,
      engine: this.#faultyEngine(),
    });
    return { scope, clock, work };
  }

  /** Each call is a step that can go wrong before it, and one that changes something right after it, too. */
  #faultyEngine(): Engine {
    const faulty = <T extends object>(noun: string, target: T): T =>
      new Proxy(target, {
        get: (_, key) => {
          const method: unknown = Reflect.get(target, key);
          if (typeof method !== 'function') return method;
          const step = `${noun}.${String(key)}`;
          return async (...args: readonly unknown[]): Promise<unknown> => {
            await this.faults.pass(step, 'before');
            const result: unknown = await method.apply(target, args);
            if (!reads.has(String(key))) await this.faults.pass(step, 'done');
            return result;
          };
        },
      });
    const { containers, networks, images } = this.engine;
    return {
      ...this.engine,
      address: this.engine.address,
      containers: faulty('containers', containers),
      networks: faulty('networks', networks),
      images: faulty('images', images),
    };
  }

  /** The start of a process: rejects when not all is migrated. Never comes back from the death of that process. */
  async start(): Promise<void> {
    this.#process = this.#begin();
    const { work, clock } = this.#process;
    let ended = false;
    const migrated = (async () => work.migration.run((await work.listing.all()).containers))().finally(() => {
      ended = true;
    });
    migrated.catch(() => undefined);
    const deadline = performance.now() + longestWaitMs;
    while (!ended && !this.faults.dead) {
      if (performance.now() > deadline) throw new Error('the migration does not come to an end');
      // The folders are real ones: a disk that is slow would otherwise use up the time of the migration.
      if (isDiskBusy()) await new Promise((resolve) => setImmediate(resolve));
      else await clock.advance(1);
    }
    if (ended) await migrated;
  }

  /** The process is gone, with the power or without it. */
  async die(power: boolean): Promise<void> {
    this.faults.kill();
    void this.#process?.scope.close();
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.faults.reset();
    if (power) this.engine.failPower();
  }

  /** As long as old containers stay. */
  async pass(): Promise<void> {
    const before = this.engine.everything.length;
    for (let turn = 0; turn < 200; turn++) await this.#process?.clock.advance(graceMs / 100);
    if (before === 0) throw new Error('there is no container');
  }

  /**
   * What is wrong with it as it stands: of each instance one container runs, on the data of that instance. `isDown`: the power
   * has failed since they were started, and nobody starts them.
   */
  wrong(names: 'either' | 'new', isDown = false): readonly string[] {
    const found: string[] = [];
    const { everything } = this.engine;
    for (let index = 0; index < this.instances; index++) {
      const running = everything.filter(
        ({ labels, state }) => (state.running || isDown) && labels[label.instanceIndex] === String(index),
      );
      if (running.length !== 1) found.push(`${running.length} containers run as instance ${index}`);
      for (const { name, hostConfig } of running) {
        const content = readData(hostConfig.Mounts?.[0]?.Source ?? '');
        if (content !== this.contentOf(index)) found.push(`${name} has ${content}`);
      }
      const volume = canonicalVolume({ lease: uuid, service: 'app', index });
      const content = readData(join(this.disk.hostPath(volume), 'data'));
      if (names === 'new' && content !== this.contentOf(index)) found.push(`${volume} has ${content}`);
    }
    if (names === 'either') return found;
    const successors = Array.from({ length: this.instances }, (_, index) => `fred-${uuid}-app-${index}`);
    const there = everything.map(({ name }) => name);
    if (there.join() !== successors.join()) found.push(`there are ${there.join(', ')}`);
    const onDisk = readdirSync(this.disk.root).sort();
    if (onDisk.join() !== successors.join()) found.push(`on disk are ${onDisk.join(', ')}`);
    const active = this.releases.list(uuid).filter(({ status }) => status === 'active');
    const runs = active.map(({ manifest }) => JSON.parse(new TextDecoder().decode(manifest)));
    if (runs.length !== 1 || runs[0]?.services?.app?.image !== image)
      found.push(`its active releases are ${JSON.stringify(runs)}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die(false);
    this.releases.file.close();
    this.disk[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** Does anything in this thread wait for a file system? */
const isDiskBusy = (): boolean =>
  process.getActiveResourcesInfo().some((kind) => /^(FSReq|CloseReq)/.test(kind));

/** What changes nothing at the engine: to die before it or after it is the same. */
const reads: ReadonlySet<string> = new Set(['list', 'inspect', 'logs', 'readArchive']);

function readData(folder: string): string {
  try {
    return readFileSync(join(folder, 'file'), 'utf8');
  } catch {
    return 'nothing';
  }
}
