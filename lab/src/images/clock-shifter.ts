/** Debian's library that shows a program another time: for clocks that are wrong, or jump while the program runs. */
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kept } from '../tools/cache.ts';
import { must } from '../tools/run.ts';
import { download } from './packages.ts';

/** Where the library stands in a container that `shiftedClock` is put into. */
const inside = '/run/shift-clock.so';
const offsetInside = '/run/shift-clock.offset';

export interface ShiftedClock {
  /** Mounts, by the paths of the machine. */
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * What a container needs to have the wall clock of its first programs shifted by what `offsetFile` says (`+600`, `-86400`),
 * now and whenever that changes. The clock of timers goes on as it is. For images of this machine's own C library.
 */
export async function shiftedClock(offsetFile: string, say: (line: string) => void): Promise<ShiftedClock> {
  return {
    volumes: [`${await library(say)}:${inside}:ro`, `${offsetFile}:${offsetInside}:ro`],
    environment: {
      LD_PRELOAD: inside,
      FAKETIME_TIMESTAMP_FILE: offsetInside,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}

const library = (say: (line: string) => void): Promise<string> =>
  kept(
    `clock-shifter-${process.arch}-1`,
    async (path) => {
      const work = `${path}.package`;
      await must(['dpkg-deb', '-x', await download('libfaketime', work), work]);
      const libraries = join(work, 'usr/lib');
      const [triplet = ''] = await readdir(libraries);
      await copyFile(join(libraries, triplet, 'faketime/libfaketime.so.1'), path);
    },
    say,
  );
