/** Where a lease is written down, so that the next process on the same file system can ask for the same address. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

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

/** One small file. What cannot be read counts as not there: then the address is asked for afresh. */
export class LeaseFile implements LeaseStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  load(): StoredLease | undefined {
    try {
      return storedLease(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** In one step: a crash leaves the old file or the new one. */
  save({ owner, askedAtMs, sender, message }: StoredLease): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.new`;
    const text = JSON.stringify({ owner, askedAtMs, sender, message: Buffer.from(message).toString('hex') });
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, this.#path);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}

function storedLease(value: unknown): StoredLease | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { owner, askedAtMs, sender, message }: Record<string, unknown> = { ...value };
  if (typeof owner !== 'string' || typeof sender !== 'string') return undefined;
  if (typeof askedAtMs !== 'number' || typeof message !== 'string') return undefined;
  return { owner, askedAtMs, sender, message: Buffer.from(message, 'hex') };
}
