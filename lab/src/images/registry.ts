/** A registry of the lab's own, on a host's loopback, where Docker asks for no TLS. */
import { closeSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labErrors } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { NamespaceSockets } from '../sockets/namespace-sockets.ts';
import { commandLine } from '../tools/proc.ts';
import { waitFor } from '../tools/wait.ts';

export const registryAddress = '127.0.0.1:5000';
const port = 5000;

/** Starts the registry of the host if it is not running. It ends with the host. */
export async function startRegistry(host: Host): Promise<Registry> {
  if (!isRunning(host)) {
    const folder = join(host.stateFolder, 'registry');
    const config = join(folder, 'config.json');
    await mkdir(join(folder, 'data'), { recursive: true });
    // JSON is YAML, too.
    await writeFile(
      config,
      JSON.stringify({
        version: 0.1,
        storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
        http: { addr: registryAddress },
        log: { accesslog: { disabled: true } },
      }),
    );
    const log = openSync(join(folder, 'log'), 'a');
    host.spawn(['docker-registry', 'serve', config], { detached: true, stdio: ['ignore', log, log] }).unref();
    closeSync(log);
  }
  await using sockets = new NamespaceSockets(host.namespace);
  await waitFor('the registry', () => answers(sockets), { timeoutMs: 60_000 });
  return new Registry(host);
}

async function answers(sockets: NamespaceSockets): Promise<boolean> {
  try {
    (await sockets.tcp({ host: '127.0.0.1', port, timeoutMs: 1000 })).destroy();
    return true;
  } catch {
    return false;
  }
}

const isRunning = (host: Host): boolean =>
  host.processes().some((pid) => commandLine(pid).startsWith('docker-registry serve'));

export class Registry {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Pushes an image of the host as `name:tag`; hands back the reference by digest that pulls exactly that one. */
  async push(image: string, name: string, tag = 'latest'): Promise<string> {
    const reference = `${registryAddress}/${name}`;
    await this.#host.docker('tag', image, `${reference}:${tag}`);
    const said = await this.#host.docker('push', `${reference}:${tag}`);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1];
    if (digest === undefined)
      throw labErrors.error('TOOL_FAILED', `docker push named no digest: ${said.trim()}`);
    return `${reference}@${digest}`;
  }
}
