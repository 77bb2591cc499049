/** The usual socket proxy of compose files, by our own fault proxy: the same switches, on Node. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import { echo } from './echo.ts';
import { ensureImage } from './image.ts';

const sources = join(import.meta.dirname, '..', 'fault-proxy');

/** Stands in for `tecnativa/docker-socket-proxy`, which is not to be had without a registry; hands back its tag. */
export async function socketProxyImage(host: Host, say: (line: string) => void): Promise<string> {
  const tag = 'berth-lab/socket-proxy';
  const base = await ensureImage(host, echo(), say);
  const context = await mkdtemp(join(tmpdir(), 'berth-socket-proxy-'));
  try {
    await cp(sources, join(context, 'proxy'), { recursive: true });
    await writeFile(
      join(context, 'Dockerfile'),
      [
        `FROM ${base}`,
        'COPY proxy /srv/proxy',
        'ENTRYPOINT ["/usr/bin/node", "/srv/proxy/socket-proxy.ts"]',
        'CMD []',
        '',
      ].join('\n'),
    );
    await host.must(['docker', 'build', '--quiet', '--tag', tag, context]);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  return tag;
}
