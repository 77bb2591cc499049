/** Where a provider daemon hears what became of its leases: verifies each callback, and hands them out one by one. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '../tools/wait.ts';
import { header, signatureProblem } from './signature.ts';
import { type Callback, callbackProblem, wire } from './wire.ts';

const path = '/callbacks/provision';

export interface DeskOptions {
  readonly secret: string;
  /** The port to listen on; any if not said. */
  readonly port?: number;
  /** Asked for each good callback: what to answer. 200 if not said. */
  readonly answer?: (callback: Callback) => number;
}

export class CallbackDesk implements AsyncDisposable {
  /** Everything that the contract does not have. Empty when all is well. */
  readonly violations: string[] = [];
  readonly #options: DeskOptions;
  readonly #server: Server;
  readonly #heard: Callback[] = [];
  readonly #taken = new Set<Callback>();

  static async open(options: DeskOptions): Promise<CallbackDesk> {
    const desk = new CallbackDesk(options);
    await new Promise<void>((resolve, reject) => {
      desk.#server.once('error', reject);
      desk.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return desk;
  }

  private constructor(options: DeskOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#take(request).then(
        (status) => response.writeHead(status).end(),
        () => response.destroy(),
      );
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** All that was heard of a lease, in order. */
  heard(lease: string): readonly Callback[] {
    return this.#heard.filter(({ lease_uuid: of }) => of === lease);
  }

  /** The next callback of a lease that nobody has taken yet. */
  async next(lease: string, timeoutMs = 60_000): Promise<Callback> {
    const found = await waitFor(
      `a callback of ${lease}`,
      () => this.heard(lease).find((one) => !this.#taken.has(one)),
      { timeoutMs, evidence: () => [...this.violations, JSON.stringify(this.#heard)].join('\n') },
    );
    this.#taken.add(found);
    return found;
  }

  /** What was heard and nobody has asked for. */
  get untaken(): readonly Callback[] {
    return this.#heard.filter((one) => !this.#taken.has(one));
  }

  async #take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = '', url = '', headers } = request;
    const signature = headers[header.toLowerCase()];
    const wrong = signatureProblem(String(signature ?? ''), this.#options.secret, method, url, body);
    if (wrong !== undefined) return this.#refuse(401, `callback with a bad signature: ${wrong}`);
    if (method !== 'POST' || url !== path) return this.#refuse(404, `callback by ${method} ${url}`);
    if (headers['content-type'] !== 'application/json')
      return this.#refuse(400, `callback with the content type ${headers['content-type']}`);
    const callback = read(body);
    if (typeof callback === 'string') return this.#refuse(400, `callback ${body}: ${callback}`);
    const status = this.#options.answer?.(callback) ?? 200;
    if (status >= 200 && status < 300) this.#heard.push(callback);
    return status;
  }

  #refuse(status: number, violation: string): number {
    this.violations.push(violation);
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function read(body: Buffer): Callback | string {
  try {
    const callback = wire.callback.parse(JSON.parse(body.toString('utf8')));
    return callbackProblem(callback) ?? callback;
  } catch (error) {
    return String(error);
  }
}
