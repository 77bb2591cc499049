import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeXfs } from '../testing/loop-filesystem.ts';
import { errnoOfWriting, openAgain, volumesSuite } from '../testing/volumes-suite.ts';

const noSpace = 28;

const tool = (...[command = '', ...args]: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
};

volumesSuite({ kind: 'xfs', make: () => makeXfs(), full: noSpace, slackMb: 0, sizeMb: 20 }, (opened) => {
  const quota = (command: string): string => tool('xfs_quota', '-x', '-c', command, opened().disk.root);
  const markerOf = (name: string): string => join(opened().disk.root, name, '.fred-project-id');
  const idOf = (name: string): string => readFileSync(markerOf(name), 'utf8').trim();
  /** The row of a project in the table of the kernel, which it may have none in. */
  const rowOf = (id: string): readonly string[] | undefined =>
    quota('report -p -i -N')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([project]) => project === `#${id}`);

  it('have a ceiling of files in the kernel, which stops the making of more', async () => {
    const { path } = await opened().filesystem.volumes.create('fred-files', 20);
    const id = idOf('fred-files');
    expect(rowOf(id)?.[3]).toBe('262144');
    // So many take minutes here: the same limit, lowered to what can be reached.
    quota(`limit -p ihard=20 ${id}`);
    let made = 0;
    const makeMany = (): void => {
      for (; made < 100; made++) closeSync(openSync(join(path, `f${made}`), 'wx'));
    };
    expect(makeMany).toThrow(expect.objectContaining({ errno: -noSpace }));
    expect(made).toBeLessThan(20);
    await opened().filesystem.volumes.ensureQuota('fred-files', 20);
    expect(rowOf(id)?.[3]).toBe('262144');
    expect(makeMany).not.toThrow();
  });

  it('that have lost their tag count again from the next start on', async () => {
    const { volumes } = opened().filesystem;
    const { path } = await volumes.create('fred-untagged', 20);
    quota(`project -C -p ${path} ${idOf('fred-untagged')}`);
    expect(errnoOfWriting(join(path, 'free'), 30), 'nothing counts').toBe(0);
    const again = await openAgain('xfs', opened().disk.root, opened().warnings);
    await again.volumes.ensureQuota('fred-untagged', 20);
    expect(errnoOfWriting(join(path, 'more'), 5)).toBe(noSpace);
    expect(await again.volumes.usage('fred-untagged')).toBeGreaterThanOrEqual(30 * 2 ** 20);
  });

  it('leave no limit in the table of the kernel', async () => {
    const { volumes, destroyer } = opened().filesystem;
    await volumes.create('fred-row', 20);
    const id = idOf('fred-row');
    expect(rowOf(id)).toBeDefined();
    await destroyer.destroy('fred-row');
    expect(rowOf(id)?.[3] ?? '0').toBe('0');
  });

  it.each([
    '0',
    'garbage',
    '',
  ])('with the marker %j keep their data and their limit, and hold up nobody', async (text) => {
    const { volumes, destroyer } = opened().filesystem;
    const { path } = await volumes.create('fred-bad', 20);
    const id = idOf('fred-bad');
    writeFileSync(join(path, 'kept'), 'precious');
    writeFileSync(markerOf('fred-bad'), text);
    const warnings: string[] = [];
    const again = await openAgain('xfs', opened().disk.root, warnings);
    expect(warnings).toEqual([expect.stringMatching(/volume fred-bad/)]);
    for (const act of ['create', 'ensureQuota'] as const)
      await expect(again.volumes[act]('fred-bad', 30)).rejects.toMatchObject({ code: 'MARKER_UNUSABLE' });
    expect((await again.volumes.create('fred-b', 20)).created).toBe(false);
    expect(readFileSync(join(path, 'kept'), 'utf8')).toBe('precious');
    expect(errnoOfWriting(join(path, 'more'), 30)).toBe(noSpace);
    // Its number is not guessed: the limit stays until somebody takes it away, as here.
    await destroyer.destroy('fred-bad');
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    expect(rowOf(id)?.[3]).toBe('262144');
    quota(`limit -p bhard=0 ihard=0 ${id}`);
    expect(opened().warnings.splice(0)).toEqual([expect.stringMatching(/limit is left in the table/)]);
  });
});
