/**
 * The volume root knows whose it is, and the backend knows its root: so an empty folder where a disk should be mounted is not
 * taken for a new root, another disk not for the known one, and two backends do not take one another's volumes for lost ones.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { errors } from '../errors.ts';
import { StoreFile } from '../stores/index.ts';

/** What the backend remembers of its root, elsewhere. */
export interface KnownRoot {
  get(): string | undefined;
  set(id: string): void;
}

const schema = 'CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL, backend TEXT NOT NULL)';

/** Holds the root for this process alone, until it is disposed of. */
export class RootIdentity implements Disposable {
  readonly #root: string;
  readonly #file: StoreFile;

  constructor(root: string, lockWaitMs?: number) {
    this.#root = root;
    this.#file = StoreFile.open({
      name: 'volume root',
      path: join(root, '.berth-root.db'),
      schema,
      ...(lockWaitMs !== undefined && { lockWaitMs }),
    });
  }

  /** `populated`: there are volumes, so it is no folder that merely waits for a disk. Throws when it is not our root. */
  agree(backend: string, known: KnownRoot, populated: boolean): void {
    const before = known.get();
    if (before !== undefined && before !== this.#id && !populated)
      throw taken(
        `${this.#root} is empty and not the volume root that this backend has used: is it mounted?`,
      );
    this.demand(backend);
    const id = this.#id ?? this.#begin(backend);
    if (before !== id) known.set(id);
  }

  /** Throws when it is the root of another backend. */
  demand(backend: string): void {
    const owner = this.#row?.['backend'];
    if (owner !== undefined && owner !== backend)
      throw taken(`${this.#root} is the volume root of the backend "${String(owner)}", not of "${backend}"`);
  }

  #begin(backend: string): string {
    const id = randomUUID();
    this.#file.prepare('INSERT INTO identity (id, backend) VALUES (?, ?)').run(id, backend);
    return id;
  }

  get #id(): string | undefined {
    const id = this.#row?.['id'];
    return id === undefined ? undefined : String(id);
  }

  get #row(): Record<string, unknown> | undefined {
    return this.#file.prepare('SELECT id, backend FROM identity').get();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

const taken = (message: string): Error => errors.error('volume_root_taken', message);
