/** Builds an image from a Dockerfile on a host, with the classic builder. */
import type { Host } from '../host/host.ts';
import { withProxy } from './build-proxy.ts';

export interface Build {
  readonly tag: string;
  /** The stage to stop at. */
  readonly target?: string;
  /** Another file than the context's Dockerfile. */
  readonly dockerfile?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const tenMinutesMs = 600_000;

/** `RUN apt-get install …` and `npm ci` reach their archives through a proxy that is there only for the build. */
export async function buildImage(host: Host, context: string, build: Build): Promise<string> {
  await withProxy(host.namespace, async (proxy) => {
    // Docker knows these without an ARG in the Dockerfile, and leaves them out of the image and its cache keys.
    const ways = Object.fromEntries(
      ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'].map((name) => [name, proxy]),
    );
    const args = Object.entries({ ...ways, NO_PROXY: '127.0.0.1,localhost', ...build.args });
    await host.must(
      [
        'docker',
        ...['build', '--quiet', '--network', 'host', '--tag', build.tag],
        ...(build.target === undefined ? [] : ['--target', build.target]),
        ...(build.dockerfile === undefined ? [] : ['--file', build.dockerfile]),
        ...args.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        context,
      ],
      { timeoutMs: build.timeoutMs ?? tenMinutesMs },
    );
  });
  return build.tag;
}
