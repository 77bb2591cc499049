import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile } from './replace-file.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-replace-'));
  file = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true }));

// One test starts processes, and the machine may be busy.
describe('replaceFile', () => {
  it('makes the file, replaces it, gives it its mode, and leaves nothing beside it', async () => {
    await replaceFile(file, 'one');
    await replaceFile(file, new TextEncoder().encode('two'), { mode: 0o640 });
    expect(await readFile(file, 'utf8')).toBe('two');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('leaves the old content when the new one cannot take its place', async () => {
    await mkdir(file);
    await expect(replaceFile(file, 'new')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(await readdir(folder)).toEqual(['state.json']);
    await expect(replaceFile(join(folder, 'nowhere', 'file'), 'new')).rejects.toThrow('ENOENT');
  });

  it('does not write through a link that lies in wait', async () => {
    const victim = join(folder, 'victim');
    await writeFile(victim, 'precious');
    await symlink(victim, join(folder, '.state.json.new'));
    await expect(replaceFile(file, 'new')).rejects.toThrow('ELOOP');
    expect(await readFile(victim, 'utf8')).toBe('precious');
  });

  it('leaves one whole content or the other, however the writer is killed', async () => {
    const program = `
      import { replaceFile } from ${JSON.stringify(join(import.meta.dirname, 'replace-file.ts'))};
      for (let n = 0; ; n++) {
        await replaceFile(${JSON.stringify(file)}, String(n % 10).repeat(200_000));
        if (n === 5) process.stdout.write('going');
      }
    `;
    for (let kill = 0; kill < 8; kill++) {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      // Somewhere in the middle of a write, each time elsewhere.
      await new Promise((resolve) => setTimeout(resolve, kill * 3));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      const content = await readFile(file, 'utf8');
      expect(content).toHaveLength(200_000);
      expect(new Set(content).size).toBe(1);
    }
    await replaceFile(file, 'after');
    expect(await readdir(folder)).toEqual(['state.json']);
  });
});
