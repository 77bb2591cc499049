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
    const row = this.#file.prepare('SELECT id, backend FROM identity').get();
    const before = known.get();
    if (before !== undefined && before !== row?.['id'] && !populated)
      throw taken(
        `${this.#root} is empty and not the volume root that this backend has used: is it mounted?`,
      );
    if (row !== undefined && row['backend'] !== backend)
      throw taken(
        `${this.#root} is the volume root of the backend "${String(row['backend'])}", not of "${backend}"`,
      );
    const id = row === undefined ? randomUUID() : String(row['id']);
    if (row === undefined)
      this.#file.prepare('INSERT INTO identity (id, backend) VALUES (?, ?)').run(id, backend);
    if (before !== id) known.set(id);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

const taken = (message: string): Error => errors.error('volume_root_taken', message);
