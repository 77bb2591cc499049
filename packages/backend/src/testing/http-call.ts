/** One HTTP request of a test, read to its end. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { sign } from '../signature/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: unknown;
}

export interface Door {
  readonly port: number;
  readonly tls: boolean;
}

/** What a test calls a backend with. */
export interface Call {
  readonly method: string;
  readonly target: string;
  readonly body?: unknown;
  readonly options?: RequestOptions;
}

/** Calls with a good signature of the secret, unless headers say otherwise. */
export function callSigned(door: Door, secret: string, call: Call): Promise<Reply> {
  const { method, target, body, options = {} } = call;
  const bytes =
    body === undefined
      ? Buffer.alloc(0)
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const signature = sign(secret, { method, target, body: bytes }, Date.now());
  const headers = { 'X-Fred-Signature': signature, ...options.headers };
  return send(door, method, target, bytes, { ...options, headers });
}

export function send(
  { port, tls }: Door,
  method: string,
  target: string,
  body: Buffer,
  options: RequestOptions = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const open = tls ? httpsRequest : httpRequest;
  const request = open(
    { host: '127.0.0.1', port, method, path: target, agent: false, ...options },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const json = response.headers['content-type'] === 'application/json' && text !== '';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: json ? JSON.parse(text) : undefined,
        });
      });
    },
  );
  request.on('error', reject);
  request.end(body);
  return promise;
}
