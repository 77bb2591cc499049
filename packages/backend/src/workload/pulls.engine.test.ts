import { registryAddress, startRegistry } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { imageOf } from '../testing/rig/images.ts';
import { Rig, service } from '../testing/rig/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open({ proxy: true, config: { parallel_pulls: 2 } });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
afterEach(() => rig.proxy.clear());

const pulls = (): number => rig.proxy.count('POST', '/images/create');
const withImage = (image: string) => ({ web: { image } });

describe('pulling', () => {
  it('is done once for an image, however many leases ask for it', async () => {
    const before = pulls();
    const held = rig.proxy.add({ on: 'POST /images/create', fault: { kind: 'hold' } });
    const leases = await Promise.all(Array.from({ length: 5 }, () => rig.provision({ web: service() })));
    await waitFor('the pull', () => held.holding === 1, { timeoutMs: 60_000 });
    // All five have asked by the time that a lookup of theirs has been answered.
    for (const lease of leases) expect((await rig.info(lease))?.status).toBe('provisioning');
    held.release();
    for (const lease of leases) expect((await rig.receiver.wait(lease)).status).toBe('success');
    expect(pulls() - before).toBe(1);
  });

  it('is done for so many images at a time, and not for more', async () => {
    const forms = ['named', 'owned', 'mixed', 'linked'] as const;
    const held = rig.proxy.add({ on: 'POST /images/create', fault: { kind: 'hold' } });
    const leases = await Promise.all(forms.map((form) => rig.provision({ web: service({}, form) })));
    await waitFor('two pulls', () => held.holding === 2, { timeoutMs: 60_000 });
    expect(held.hits).toBe(2);
    held.release();
    for (const lease of leases) expect((await rig.receiver.wait(lease)).status).toBe('success');
    expect(held.hits).toBe(4);
  });

  it('ends when it takes too long', async () => {
    await using hasty = await Rig.open({ proxy: true, config: { image_pull_timeout: '3s' } });
    hasty.proxy.add({ on: 'POST /images/create', fault: { kind: 'hold' } });
    const uuid = await hasty.provision({ web: service() });
    expect(await hasty.receiver.wait(uuid)).toMatchObject({ status: 'failed', error: 'image pull failed' });
    expect(await hasty.info(uuid)).toMatchObject({
      status: 'failed',
      reason: 'ImagePullFailed',
      message: 'image pull failed',
      fail_count: 1,
    });
    expect(await hasty.containers(uuid)).toEqual([]);
  });

  it.each([
    ['there is no such tag', imageOf('plain', 'absent')],
    ['there is no such repository', `${registryAddress}/nobody/has-this:1`],
    ['there is no such content', `${registryAddress}/berth-tenant/plain@sha256:${'0'.repeat(64)}`],
  ])('fails when %s, in words that say nothing of the engine', async (_, image) => {
    const uuid = await rig.provision(withImage(image));
    expect(await rig.receiver.wait(uuid)).toMatchObject({ status: 'failed', error: 'image pull failed' });
    const [line] = rig.program.logs
      .attrsOf('lease operation failed')
      .filter((one) => one['lease_uuid'] === uuid);
    expect(line?.['detail'], 'the operator hears more').toContain(`cannot pull image ${image}`);
    expect(JSON.stringify(await rig.info(uuid))).not.toContain('cannot pull');
  });

  it('fails when the progress says so, although the answer began well', async () => {
    rig.proxy.add({ on: 'POST /images/create', fault: { kind: 'cut', afterBytes: 10 } });
    const uuid = await rig.provision({ web: service() });
    expect((await rig.receiver.wait(uuid)).error).toBe('image pull failed');
  });

  it('takes exactly the content that a digest names', async () => {
    const registry = await startRegistry(rig.host);
    const digest = await registry.push('berth-tenant/plain:1', 'berth-tenant/pinned').catch(async () => {
      await rig.engine.images.tag(imageOf('plain'), 'berth-tenant/plain:1');
      return await registry.push('berth-tenant/plain:1', 'berth-tenant/pinned');
    });
    const uuid = await rig.running(withImage(digest));
    const { imageId } = await rig.container(uuid);
    expect(imageId).toBe((await rig.engine.images.inspect(imageOf('plain'))).id);
    expect((await rig.info(uuid))?.service_images).toEqual({ web: digest });
  });

  it('brings a tag up to date that has moved, for a provision and for an update, and not for a restart', async () => {
    const registry = await startRegistry(rig.host);
    const name = `${rig.name}/moving`;
    const image = `${registryAddress}/${name}:latest`;
    const [one, two] = [imageOf('plain'), imageOf('named')];
    await registry.push(one, name);
    const uuid = await rig.running(withImage(image));
    const idOf = async (ref: string): Promise<string> => (await rig.engine.images.inspect(ref)).id;
    expect((await rig.container(uuid)).imageId).toBe(await idOf(one));
    await registry.push(two, name);
    await rig.engine.images.tag(one, image);
    const before = pulls();
    await rig.next(uuid, () => rig.restart(uuid));
    expect(pulls(), 'a restart pulls nothing').toBe(before);
    expect((await rig.container(uuid)).imageId).toBe(await idOf(one));
    expect(await rig.next(uuid, () => rig.update(uuid, withImage(image)))).toMatchObject({
      status: 'success',
    });
    expect((await rig.container(uuid)).imageId).toBe(await idOf(two));
    await rig.deprovision(uuid);
    await rig.engine.images.remove(image, { force: true });
  });

  it('is called off when nobody waits for it any more', async () => {
    const held = rig.proxy.add({ on: 'POST /images/create', fault: { kind: 'hold' } });
    const uuid = await rig.provision({ web: service() });
    await waitFor('the pull', () => held.holding === 1, { timeoutMs: 60_000 });
    await rig.deprovision(uuid);
    expect(held.holding, 'nobody has let it go, and nobody waits for it').toBe(1);
    await rig.receiver.wait(uuid);
    expect(rig.receiver.of(uuid).map(({ status }) => status)).toEqual(['deprovisioned']);
  });
});
