/** How a test and a program that is to die at a commit speak to each other: through files in the folder of the program. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const deathFile = 'death.json';
export const commitsFile = 'commits.log';

/** The commit by its name, and how often it has been passed since the start of the program. */
export interface PlannedDeath {
  readonly point: string;
  readonly nth: number;
}

export class Doom {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The commits that the program, or all since the last clearing, has passed. */
  get commits(): readonly string[] {
    const path = join(this.#folder, commitsFile);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** To be called while the program does not run. */
  clear(): void {
    rmSync(join(this.#folder, commitsFile), { force: true });
    this.avert();
  }

  plan(death: PlannedDeath): void {
    writeFileSync(join(this.#folder, deathFile), JSON.stringify(death));
  }

  avert(): void {
    rmSync(join(this.#folder, deathFile), { force: true });
  }
}
