import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In memory where there is such a place: the tests ask what is written, not how long the disk takes. */
export const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder for the stores of one test. */
export function storeFolder(): Disposable & { readonly path: (name: string) => string } {
  const folder = mkdtempSync(join(inMemory, 'berth-stores-'));
  return {
    path: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
