import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamespaceSockets } from '../sockets/namespace-sockets.ts';
import { openSpace } from '../testing/index.ts';
import { buildImage } from './build.ts';
import { startRegistry } from './registry.ts';

describe('images in the lab', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-build-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are built up to the stage that is asked for', async () => {
    await using space = await openSpace();
    const { host } = space;
    await writeFile(
      join(folder, 'Dockerfile'),
      [
        'FROM berth-lab/busybox AS wanted',
        'ARG GREETING',
        'RUN echo "$GREETING" > /greeting',
        'CMD ["cat", "/greeting"]',
        'FROM wanted',
        'RUN false',
        '',
      ].join('\n'),
    );
    const tag = `${space.name('built')}:1`;
    await buildImage(host, folder, { tag, target: 'wanted', args: { GREETING: 'hello' } });
    expect(await host.docker('run', '--rm', ...space.labelled, tag)).toBe('hello\n');
    await host.docker('image', 'rm', tag);
  });

  it('reach the world outside while they are built, and only then', async () => {
    await using space = await openSpace();
    const { host } = space;
    const outside = createServer((_, answer) => answer.end('from outside\n'));
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port } = outside.address() as AddressInfo;
    const tag = `${space.name('fetched')}:1`;
    try {
      await writeFile(
        join(folder, 'Dockerfile'),
        [
          'FROM berth-lab/busybox',
          // 127.0.0.1 means the machine here, because the proxy dials from there.
          `RUN env -u no_proxy -u NO_PROXY wget -q -O /fetched http://127.0.0.1:${port}/`,
          'RUN env | grep -i proxy > /proxies || true',
          'CMD ["cat", "/fetched"]',
        ].join('\n'),
      );
      await buildImage(host, folder, { tag });
    } finally {
      outside.close();
    }
    expect(await host.docker('run', '--rm', ...space.labelled, tag)).toBe('from outside\n');
    expect(await host.docker('run', '--rm', ...space.labelled, tag, 'env')).not.toMatch(/proxy/i);
    await using sockets = new NamespaceSockets(host.namespace);
    const unreachable = sockets.tcp({ host: '192.0.2.1', port: 80, timeoutMs: 300 });
    await expect(unreachable).rejects.toMatchObject({ code: expect.stringMatching(/UNREACH|TIMEDOUT/) });
    await host.docker('image', 'rm', tag);
  });

  it('go to the registry and come back by digest', async () => {
    await using space = await openSpace();
    const { host } = space;
    const registry = await startRegistry(host);
    const reference = await registry.push('berth-lab/busybox', space.name('pushed'));
    await host.docker('image', 'rm', reference.replace(/@.*/, ':latest'));
    await expect(host.docker('image', 'inspect', reference)).rejects.toThrow('No such image');
    await host.docker('pull', reference);
    expect(await host.docker('run', '--rm', ...space.labelled, reference, 'echo', 'pulled')).toBe('pulled\n');
    await host.docker('image', 'rm', reference);
  });

  it('run in a Compose project', async () => {
    await using space = await openSpace();
    await writeFile(join(folder, 'compose.yaml'), 'services:\n  web:\n    image: berth-lab/busybox\n');
    const compose = (...args: readonly string[]): Promise<string> =>
      space.host.docker(
        'compose',
        '--project-name',
        space.id,
        '--file',
        join(folder, 'compose.yaml'),
        ...args,
      );
    await compose('up', '--detach');
    expect(await compose('ps', '--services', '--status', 'running')).toBe('web\n');
    await compose('down');
    expect(await compose('ps', '--all', '--quiet')).toBe('');
  });
});
