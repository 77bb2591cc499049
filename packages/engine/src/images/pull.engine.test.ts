import { registryAddress, startRegistry } from '@berth/lab';
import { expect, it } from 'vitest';
import { behindProxy } from '../testing/faulty-site.ts';
import { onEveryEngine } from '../testing/site.ts';
import type { PullProgress } from './images.ts';

onEveryEngine('pulling', (site) => {
  const { images } = site.engine;
  const name = `${site.name}/app`;
  const reference = `${registryAddress}/${name}`;

  it('fetches an image by its tag and by its digest, and reports how it goes', async () => {
    const registry = await startRegistry(site.host);
    const byDigest = await registry.push(site.image, name, 'one');
    const { id } = await images.inspect(`${reference}:one`);
    for (const ref of [`${reference}:one`, byDigest]) {
      await images.remove(`${reference}:one`).catch(() => undefined);
      const seen: PullProgress[] = [];
      await images.pull(ref, { onProgress: (progress) => seen.push(progress) });
      expect((await images.inspect(ref)).id).toBe(id);
      expect(seen.map(({ status }) => status).join('\n')).toContain('Digest: sha256:');
    }
    await images.remove(byDigest).catch(() => undefined);
    await images.remove(`${reference}:one`).catch(() => undefined);
  });

  it('fails where there is no such tag or no registry, although the engine may have said 200', async () => {
    await startRegistry(site.host);
    for (const ref of [`${reference}:absent`, '127.0.0.1:1/nothing:here'])
      await expect(images.pull(ref)).rejects.toThrow(`cannot pull image ${ref}: `);
  });

  it('fails where its progress breaks off', async () => {
    const registry = await startRegistry(site.host);
    await registry.push(site.image, name, 'two');
    await using faulty = await behindProxy(site);
    faulty.proxy.add({ on: 'POST /images/create', fault: { kind: 'cut', afterBytes: 20 } });
    await expect(faulty.engine.images.pull(`${reference}:two`)).rejects.toMatchObject({
      code: 'ENGINE_TRUNCATED',
    });
    await images.remove(`${reference}:two`).catch(() => undefined);
  });
});
