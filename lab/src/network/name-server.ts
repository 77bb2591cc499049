/** dnsmasq on a loopback port of its own, that knows only what it is told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { labErrors } from '../errors.ts';
import { waitFor } from '../tools/wait.ts';

export class NameServer implements AsyncDisposable {
  readonly #port: number;
  #child: ChildProcess | undefined;

  /** With records as options of dnsmasq: `--host-record=…`. All names that end with `.example` are its own. */
  static async open(...records: readonly string[]): Promise<NameServer> {
    // Somebody may take the port between our look and its start.
    for (let left = 5; ; left--) {
      const server = new NameServer(await freePort());
      try {
        await server.know(...records);
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        if (left === 0) throw error;
      }
    }
  }

  private constructor(port: number) {
    this.#port = port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Forgets what it knew. */
  async know(...records: readonly string[]): Promise<void> {
    await this.#stop();
    const options = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--pid-file',
    ];
    const where = ['--bind-interfaces', '--listen-address=127.0.0.1', `--port=${this.#port}`];
    const child = spawn('dnsmasq', [...options, ...where, '--local=/example/', ...records], {
      stdio: 'ignore',
    });
    this.#child = child;
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([this.address]);
    await waitFor(
      'the name server',
      () => {
        if (child.exitCode !== null)
          throw labErrors.error('TOOL_FAILED', `dnsmasq ended with ${child.exitCode}`);
        return resolver.resolve4('nobody.example').then(
          () => true,
          (error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND',
        );
      },
      { timeoutMs: 60_000 },
    );
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
