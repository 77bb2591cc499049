/** What a process writes down for the next one on the same file system. What cannot be read counts as not there. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export class StateFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  load(): unknown {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** In one step: a crash leaves the old file or the new one. */
  save(value: object): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.new`;
    writeFileSync(draft, JSON.stringify(value), { mode: 0o600 });
    renameSync(draft, this.#path);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}
