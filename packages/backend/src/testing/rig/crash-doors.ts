/**
 * Stands in the doors of a program under test and counts every step by which it leaves a trace or learns of one: each call of
 * the engine, each transaction of a store, and each step on the disk with volumes. At the step that a test names the program dies: nothing that it tries after
 * that reaches anything.
 */
import type { Engine } from '@berth/engine';
import type { QuotaFilesystem, RunTool } from '@berth/kernel/filesystems';
import type { Doors } from '../../backend.ts';
import type { SendCallback } from '../../callbacks/index.ts';
import type { StoreFile } from '../../stores/index.ts';

class Dead extends Error {
  constructor() {
    super('the program is dead');
  }
}

/** What changes nothing at the engine: to die before it or after it is the same. */
const reads: ReadonlySet<string> = new Set([
  'list',
  'inspect',
  'logs',
  'readArchive',
  'open',
  'past',
  'ping',
  'info',
  'validate',
  'label',
  'escaping',
  'usage',
]);

/** Methods that answer at once, and only work something out. */
const plain: ReadonlySet<string> = new Set(['hostPath']);

/** Tools that only look. */
const looks = /^btrfs (qgroup show|filesystem sync)/;

type Stores = Parameters<Doors['stores']>[0];

/** A point by its name and how often it was passed before; or by its number among all points. */
export type CrashPoint = number | { readonly point: string; readonly nth: number };

export const noDeath = Number.POSITIVE_INFINITY;

/** The points of a run by their names: what comes in between in another run does not shift them. */
export function named(points: readonly string[]): readonly CrashPoint[] {
  return points.map((point, at) => ({
    point,
    nth: points.slice(0, at).filter((one) => one === point).length,
  }));
}

export class CrashDoors implements Doors {
  /** Every point that was passed since the last arming, in order. */
  points: string[] = [];
  /** The point at which the program died. */
  diedAt: string | undefined;
  /** How often the program has begun to tell a caller something since the last arming: whether that arrives is out of its hands. */
  told = 0;
  #callbacks: Stores['callbacks'] | undefined;
  #deadline: CrashPoint = noDeath;
  #counting = false;
  readonly #die: () => void;
  readonly died: Promise<void>;
  #onDeath: () => void = () => undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#die = resolve;
  }

  /** Counts from now on, and lets the program die at that point. */
  arm(at: CrashPoint): void {
    this.points = [];
    this.told = 0;
    this.#deadline = at;
    this.#counting = true;
  }

  disarm(): void {
    this.#counting = false;
  }

  /** Callbacks that are stored, and not known to have arrived. */
  get owed(): number {
    return this.#callbacks?.list().entries.length ?? 0;
  }

  /** What ends everything else of the program at the moment of its death. */
  onDeath(end: () => void): void {
    this.#onDeath = end;
  }

  #pass(point: string): void {
    if (this.diedAt !== undefined) throw new Dead();
    if (!this.#counting) return;
    if (this.#isDeadline(point)) {
      this.diedAt = point;
      this.#onDeath();
      this.#die();
      throw new Dead();
    }
    this.points.push(point);
  }

  #isDeadline(point: string): boolean {
    const at = this.#deadline;
    if (typeof at === 'number') return this.points.length === at;
    return point === at.point && this.points.filter((one) => one === point).length === at.nth;
  }

  engine(engine: Engine): Engine {
    const nouns = ['containers', 'networks', 'images', 'volumes', 'events', 'system'] as const;
    const watched = Object.fromEntries(nouns.map((noun) => [noun, this.#watched(noun, engine[noun])]));
    return { ...engine, ...watched };
  }

  #watched<T extends object>(noun: string, target: T): T {
    return new Proxy(target, {
      get: (_, key) => {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        if (plain.has(String(key))) return method.bind(target);
        const call = `${noun}.${String(key)}`;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          this.#pass(`before ${call}`);
          let result: unknown;
          try {
            result = await method.apply(target, args);
          } catch (error) {
            if (this.diedAt !== undefined) throw new Dead();
            throw error;
          }
          if (!reads.has(String(key))) this.#pass(`after ${call}`);
          else if (this.diedAt !== undefined) throw new Dead();
          return result;
        };
      },
    });
  }

  readonly disk = {
    filesystem: (filesystem: QuotaFilesystem): QuotaFilesystem => ({
      volumes: this.#watched('disk', filesystem.volumes),
      destroyer: this.#watched('disk', filesystem.destroyer),
    }),
    tools:
      (run: RunTool): RunTool =>
      async (argv, options) => {
        const tool = argv.slice(0, 3).join(' ');
        this.#pass(`before ${tool}`);
        const answer = await run(argv, options);
        if (!looks.test(tool)) this.#pass(`after ${tool}`);
        return answer;
      },
  };

  callbacks(send: SendCallback): SendCallback {
    return async (...args) => {
      if (this.diedAt !== undefined) throw new Dead();
      this.told++;
      return await send(...args);
    };
  }

  stores({ callbacks, diagnostics, releases, retention }: Stores): void {
    this.#callbacks = callbacks;
    for (const { file } of [callbacks, diagnostics, releases, retention]) this.#watchTransactions(file);
    const { put, delete: drop } = diagnostics;
    diagnostics.put = (entry) => this.#commit('diagnostics', () => put.call(diagnostics, entry));
    diagnostics.delete = (lease) => this.#commit('diagnostics', () => drop.call(diagnostics, lease));
  }

  #watchTransactions(file: StoreFile): void {
    const transaction = file.transaction.bind(file);
    file.transaction = (work) => this.#commit(file.name, () => transaction(work));
  }

  #commit<T>(store: string, work: () => T): T {
    this.#pass(`before commit of ${store}`);
    const result = work();
    this.#pass(`after commit of ${store}`);
    return result;
  }
}
