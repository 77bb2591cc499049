import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { kept } from './cache.ts';

const quiet = (): undefined => undefined;

describe('the cache', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-cache-'));
    vi.stubEnv('BERTH_CACHE', folder);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  it('makes a thing once, also when two ask for it at the same time', async () => {
    let made = 0;
    const make = async (path: string): Promise<void> => {
      made++;
      await writeFile(path, 'content');
    };
    const paths = await Promise.all([kept('thing', make, quiet), kept('thing', make, quiet)]);
    expect(made).toBe(1);
    expect(paths[0]).toBe(paths[1]);
    expect(await readFile(paths[0] ?? '', 'utf8')).toBe('content');
  });

  it('keeps nothing of what could not be finished', async () => {
    const broken = async (path: string): Promise<void> => {
      await writeFile(path, 'half');
      throw new Error('no room');
    };
    await expect(kept('thing', broken, quiet)).rejects.toThrow('no room');
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what a killed maker left when the thing is made again', async () => {
    let left = '';
    await kept(
      'thing',
      async (path) => {
        left = path;
        await writeFile(path, 'half');
        // As if the process had ended here: what follows would be another one's.
        await writeFile(join(folder, '.making-thing-killed'), 'half');
        throw new Error('killed');
      },
      quiet,
    ).catch(quiet);
    await kept('thing', (path) => writeFile(path, 'whole'), quiet);
    expect(existsSync(left)).toBe(false);
    expect(await readdir(folder)).toEqual(['thing']);
  });
});
