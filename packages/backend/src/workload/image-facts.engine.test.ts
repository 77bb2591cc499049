import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageForm } from '../testing/rig/images.ts';
import { Rig, service } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
});
afterAll(() => rig?.[Symbol.asyncDispose]());

/** Containers that are there only to look into an image. */
const looking = () =>
  rig.engine.containers.list({ all: true, filters: { label: [`fred.image_inspection=${rig.name}`] } });

describe('a container runs as', () => {
  const cases: readonly (readonly [
    what: string,
    form: ImageForm,
    manifest: string | undefined,
    user: string,
  ])[] = [
    ['the user and group of the image, by name', 'named', undefined, '1234:1300'],
    ['the user of the manifest, whatever the image says', 'named', '77', '77:77'],
    ['a number and a group by name', 'plain', '500:staff', '500:1300'],
    ['an account of the image, with its own group', 'plain', 'web', '1234:1235'],
    ['a number that has an account all the same', 'plain', '1234', '1234:1234'],
    ['an account behind a link', 'linked', undefined, '1234:1235'],
    ['the owner of the volumes, if nobody names anybody and all are of one', 'owned', undefined, '1500:1600'],
    ['the image says, that is root, if the volumes are of several', 'mixed', undefined, ''],
    ['the image says, that is root, if the manifest names root', 'owned', 'root', ''],
  ];
  it.each(cases)('%s', async (_, form, user, expected) => {
    const uuid = await rig.running({ web: service(user === undefined ? {} : { user }, form) });
    const { config, id } = await rig.container(uuid);
    expect(config.User ?? '').toBe(expected);
    const ids = (await rig.inside(id, 'sh', '-c', 'echo $(id -u):$(id -g)')).out;
    expect(ids).toBe(expected === '' ? '0:0' : expected);
  });

  it('nobody, when the image does not know the name', async () => {
    for (const web of [service({}, 'stranger'), service({ user: 'web:wheel-of-nobody' })]) {
      const uuid = await rig.provision({ web });
      expect(await rig.receiver.wait(uuid)).toMatchObject({
        status: 'failed',
        error: 'image inspect failed',
      });
      expect(await rig.containers(uuid)).toEqual([]);
    }
  });

  it('is found out in a container that is never started and never stays', async () => {
    expect(await looking()).toEqual([]);
  });
});

describe('a volume that an image declares', () => {
  it('is memory that belongs to the user, and never an anonymous volume', async () => {
    const uuid = await rig.running({ web: service({}, 'owned') });
    const { id, mounts, hostConfig } = await rig.container(uuid);
    expect(mounts.filter(({ type }) => type === 'volume')).toEqual([]);
    expect(Object.keys(hostConfig.Tmpfs ?? {}).sort()).toEqual(['/run', '/srv/data', '/srv/more', '/tmp']);
    const written = await rig.inside(
      id,
      'sh',
      '-c',
      'echo kept > /srv/data/x && cat /srv/data/x && ls -dn /srv/data',
    );
    expect(written.out).toMatch(/^kept\ndrwx.* 1500 +1600 /);
  });

  it('leaves none behind, whatever is made of the image and removed again', async () => {
    const before = (await rig.engine.volumes.list()).length;
    const uuid = await rig.running({ web: service({}, 'owned') });
    await rig.next(uuid, () => rig.restart(uuid));
    await rig.deprovision(uuid);
    expect((await rig.engine.volumes.list()).length).toBe(before);
  });
});
