/** Whom a backend under test calls back: keeps what it was told, and answers as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@berth/lab/testing';
import { verify } from '../../signature/index.ts';

export interface Told {
  readonly lease_uuid: string;
  readonly status: string;
  readonly error?: string;
  readonly backend?: string;
  readonly retained?: boolean;
  /** Was it signed with the secret, for this target and this body? */
  readonly signed: boolean;
  readonly atMs: number;
}

/** A status, or what a broken caller does: take it and never answer, or hang up. */
type Reaction = number | 'silence' | 'hang up';

export class CallbackReceiver implements AsyncDisposable {
  readonly told: Told[] = [];
  /** Hears of each callback when it comes in, before it is answered. */
  react: (told: Told) => Reaction = () => 200;
  readonly #secret: string;
  readonly #server: Server;

  private constructor(secret: string) {
    this.#secret = secret;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(secret: string): Promise<CallbackReceiver> {
    const receiver = new CallbackReceiver(secret);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callbacks/provision?from=test`;
  }

  of(lease: string): readonly Told[] {
    return this.told.filter(({ lease_uuid }) => lease_uuid === lease);
  }

  /** The callback of that number, counted from 1, of the lease. */
  async wait(lease: string, number = 1, timeoutMs = 60_000): Promise<Told> {
    return await waitFor(`callback ${number} of lease ${lease}`, () => this.of(lease)[number - 1], {
      timeoutMs,
      evidence: () => `so far: ${JSON.stringify(this.of(lease))}`,
    });
  }

  #connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  }

  /** Nobody is connected any more: what a dead caller has sent has come in. */
  async quiet(): Promise<void> {
    await waitFor('all callers to be gone', async () => (await this.#connections()) === 0, {
      timeoutMs: 60_000,
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const { method = '', url: target = '', headers } = request;
    const header = String(headers['x-fred-signature'] ?? '');
    const signed = verify(this.#secret, header, { method, target, body }, Date.now());
    const told: Told = { ...JSON.parse(body.toString('utf8')), signed, atMs: Date.now() };
    this.told.push(told);
    const reaction = this.react(told);
    if (reaction === 'hang up') request.socket.destroy();
    else if (reaction !== 'silence') response.writeHead(reaction).end('noted');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
