import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { destructionProblems } from './destruction-rule.ts';
import { root } from './run.ts';

/** What is said of a backend that has this text in that file. */
function problemsOf(file: string, text: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'berth-rule-'));
  try {
    const path = join(folder, 'packages/backend/src', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return destructionProblems(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the only door to destruction', () => {
  it.each([
    ['retention/reaper.ts', 'await filesystem.destroyer.destroy(name);'],
    ['retention/reaper.ts', "import type { VolumeDestroyer } from '@berth/kernel/filesystems';"],
    ['disk.ts', 'const opened = await openQuotaFilesystem(options);'],
    ['retention/closing.ts', 'const door = new VolumeDoor(options);'],
    ['workload/work.ts', "import { rm } from 'node:fs/promises';"],
    ['workload/work.ts', "import {\n  lstat,\n  renameSync,\n} from 'node:fs';"],
    ['workload/work.ts', "import * as fs from 'node:fs';"],
    ['workload/work.ts', "import fs from 'node:fs/promises';"],
    ['workload/work.ts', "import { promises } from 'node:fs';"],
    ['workload/work.ts', "const { rm } = await import('node:fs/promises');"],
    ['workload/work.ts', "process.getBuiltinModule('node:fs').rmSync(path);"],
    ['retention/reaper.ts', 'await (await ConfinedFolder.open(root)).remove(name);'],
  ])('is not opened from %s by %j', (file, text) => {
    expect(problemsOf(file, text)).toEqual([expect.stringContaining(`packages/backend/src/${file}`)]);
  });

  it.each([
    ['volumes/door.ts', 'await destroyer.destroy(name);'],
    [
      'volumes/open.ts',
      'const { destroyer } = await openQuotaFilesystem(options); new VolumeDoor({ destroyer });',
    ],
    ['volumes/confined-folder.ts', "import { rename, rm } from 'node:fs/promises';"],
    ['testing/folder.ts', "import { rmSync } from 'node:fs';"],
    ['retention/reaper.test.ts', "import { rmSync } from 'node:fs';"],
    [
      'retention/reaper.ts',
      '// Only the destroyer of the door may do that.\n/* new VolumeDoor */ door.operation(lease);',
    ],
    ['workload/work.ts', "import { lstat } from 'node:fs/promises';"],
  ])('lets %s have %j', (file, text) => {
    expect(problemsOf(file, text)).toEqual([]);
  });

  it('is the only one in this repository', () => {
    expect(destructionProblems(root)).toEqual([]);
  });
});
