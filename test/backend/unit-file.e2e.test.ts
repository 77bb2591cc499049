/** The systemd unit, judged by systemd itself. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareMachine } from '@berth/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const unit = join(import.meta.dirname, '..', '..', 'deploy', 'systemd', 'docker-backend.service');

function judged(...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

let folder: string;
beforeAll(async () => {
  await prepareMachine(() => undefined);
  folder = await mkdtemp(join(tmpdir(), 'berth-unit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('docker-backend.service', () => {
  it('has nothing in it that systemd does not understand', async () => {
    const text = await readFile(unit, 'utf8');
    const copy = join(folder, 'docker-backend.service');
    // The program is not installed here, and whether it is there is no matter of the unit.
    await writeFile(copy, text.replaceAll('/usr/local/bin/docker-backend', process.execPath));
    expect(judged('verify', copy)).toMatchObject({ code: 0, output: '' });
    await writeFile(copy, text.replace('[Service]', '[Service]\nProtectEverything=yes'));
    expect(judged('verify', copy).output).toContain('ProtectEverything');
  });

  it('leaves root no more than it needs', () => {
    const { code, output } = judged('security', '--offline=true', '--threshold=35', unit);
    expect(code, output).toBe(0);
  });
});
