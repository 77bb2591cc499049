/** Where a lease is written down, so that the next process on the same file system can ask for the same address. */
import { StateFile } from '../state-file.ts';

/** A lease as the answer that granted it. */
export interface StoredLease {
  /** Whose it is: another MAC or host name must not take it for its own. */
  readonly owner: string;
  /** Wall time at which we asked for it. */
  readonly askedAtMs: number;
  /** Who granted it, on our link. */
  readonly sender: string;
  readonly message: Uint8Array;
}

export interface LeaseStore {
  load(): StoredLease | undefined;
  save(lease: StoredLease): void;
  clear(): void;
}

/** One small file. Without it the address is asked for afresh. */
export class LeaseFile implements LeaseStore {
  readonly #file: StateFile;

  constructor(path: string) {
    this.#file = new StateFile(path);
  }

  load(): StoredLease | undefined {
    return storedLease(this.#file.load());
  }

  save({ owner, askedAtMs, sender, message }: StoredLease): void {
    this.#file.save({ owner, askedAtMs, sender, message: Buffer.from(message).toString('hex') });
  }

  clear(): void {
    this.#file.clear();
  }
}

function storedLease(value: unknown): StoredLease | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { owner, askedAtMs, sender, message }: Record<string, unknown> = { ...value };
  if (typeof owner !== 'string' || typeof sender !== 'string') return undefined;
  if (typeof askedAtMs !== 'number' || typeof message !== 'string') return undefined;
  return { owner, askedAtMs, sender, message: Buffer.from(message, 'hex') };
}
