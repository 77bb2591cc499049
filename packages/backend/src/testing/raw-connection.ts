/** One connection to a backend, spoken to in bytes: for what no client library would send. */
import { connect, type Socket } from 'node:net';
import { sign } from '../signature/index.ts';
import { apiSecret } from './api-bench.ts';

const longestWaitMs = 10_000;

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly body?: string | Buffer;
  /** What is signed, where that is another target. */
  readonly signedTarget?: string;
  readonly headers?: readonly string[];
}

export class Connection {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('utf8');
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  request(method: string, target: string, body: string | Buffer): void {
    this.send({ method, target, body });
  }

  /** A signed request. Its headers may announce a body that is sent later, or never. */
  send({ method, target, body = '', signedTarget = target, headers }: RawRequest): void {
    const bytes = Buffer.from(body);
    const signature = sign(apiSecret, { method, target: signedTarget, body: bytes }, Date.now());
    const lines = [
      `${method} ${target} HTTP/1.1`,
      'Host: x',
      `X-Fred-Signature: ${signature}`,
      ...(headers ?? [`Content-Length: ${bytes.length}`]),
    ];
    this.socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]));
  }

  get statuses(): readonly string[] {
    return Array.from(this.text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status = '']) => status);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + longestWaitMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}; read: ${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits for so many answers, and says their statuses. */
  async answers(count: number): Promise<readonly string[]> {
    await this.until(`there are ${count} answers`, () => this.statuses.length >= count);
    return this.statuses;
  }
}
