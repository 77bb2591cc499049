/** One request from its first byte to its answer: route, signature, body, handler, in this order. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, type Log } from '@berth/service/log';
import { signatureHeader, verify } from '../signature/index.ts';
import { type Answer, answerFor, bodyTooLarge, refusal } from './answer.ts';
import { firstJsonValue } from './json-body.ts';
import { findRoute, originForm, splitTarget } from './router.ts';
import { type Backend, type Call, type Route, routes } from './routes.ts';

export interface HandlerOptions {
  readonly backend: Backend;
  readonly secret: string;
  readonly maxBodyBytes: number;
  readonly log: Log;
  readonly now: () => number;
}

const noBytes = new Uint8Array();

export function requestHandler(
  options: HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(request, response, options)
      .catch((error: unknown) => {
        options.log.error('request failed', {
          path: splitTarget(request.url ?? '').path,
          error: errorText(error),
        });
        return refusal(500, 'internal server error');
      })
      .then((done) => sendAnswer(request, response, done))
      .catch((error: unknown) => {
        options.log.error('answer failed', {
          path: splitTarget(request.url ?? '').path,
          error: errorText(error),
        });
        response.destroy();
      });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HandlerOptions,
): Promise<Answer> {
  const method = request.method ?? 'GET';
  const target = originForm(request.url ?? '/');
  const { path, query } = splitTarget(target);
  const found = findRoute(routes, method, path);
  if (found.kind === 'unknown') return refusal(404, 'not found');
  if (found.kind === 'wrongMethod')
    return { ...refusal(405, 'method not allowed'), headers: { Allow: found.allowed.join(', ') } };
  const { route, segment } = found;
  const body = route.auth === 'signed' ? await signedBody(request, target, options) : noBytes;
  if (!(body instanceof Uint8Array)) return body;
  const { backend, log } = options;
  const call = <Body>(read: Body): Call<Body> => ({
    backend,
    segment,
    body: read,
    // Made for who asks: most reads want neither.
    get query() {
      return new URLSearchParams(query);
    },
    get signal() {
      return goneWith(response);
    },
  });
  try {
    return route.method === 'GET'
      ? await route.handle(call(undefined))
      : await route.handle(call(parsed(body)));
  } catch (error) {
    const made = answerFor(error, route.internal, route.path);
    if (made.status >= 500) logFailure(log, route, made, error);
    return made;
  }
}

/** The caller may be gone before we are done; what he asked for and was not accepted yet is void then. */
function goneWith(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort(new Error('the caller is gone'));
  if (response.destroyed) abort();
  else response.once('close', abort);
  return gone.signal;
}

function logFailure(log: Log, { path }: Route, { status }: Answer, error: unknown): void {
  log.warn('request not served', { path, status, error: errorText(error) });
}

/** A body that is no JSON is refused where its fields are read: it has none. */
function parsed(body: Uint8Array): unknown {
  try {
    return firstJsonValue(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** The verified bytes of the body, or the refusal. Nothing of the body is read before there is a signature. */
async function signedBody(
  request: IncomingMessage,
  target: string,
  { secret, maxBodyBytes, log, now }: HandlerOptions,
): Promise<Uint8Array | Answer> {
  const signature = request.headers[signatureHeader];
  if (signature === undefined || signature === '') return refusal(401, 'missing signature');
  const body = hasBody(request) ? await readBody(request, maxBodyBytes) : noBytes;
  if (body === undefined) return bodyTooLarge;
  const signed = { method: request.method ?? 'GET', target, body };
  if (verify(secret, String(signature), signed, now())) return body;
  const { path } = splitTarget(target);
  log.warn('signature rejected', { remote: request.socket.remoteAddress, path });
  return refusal(401, 'invalid signature');
}

/** One is announced by either of these headers, and by nothing else. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

/**
 * The body, or undefined when it is too large or does not come whole. The rest of one that is too large is read and thrown
 * away: a connection that is closed on unread bytes takes the answer with it.
 */
function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (body: Uint8Array | undefined): void => {
      request.off('data', take).off('end', whole).off('close', cut).off('error', cut);
      // Whatever comes now goes nowhere.
      request.on('error', () => undefined).resume();
      resolve(body);
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) settle(undefined);
      else chunks.push(chunk);
    };
    const whole = (): void => settle(Buffer.concat(chunks, length));
    const cut = (): void => settle(undefined);
    request.on('data', take).on('end', whole).on('close', cut).on('error', cut);
  });
}

/** Answers, unless that was done already or there is nobody left. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, made: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const { status, contentType = 'application/json', headers = {} } = made;
  if (made.body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = contentType === 'application/json' ? encoded(made.body) : String(made.body);
  if (text === undefined) {
    sendAnswer(request, response, refusal(500, 'internal encoding error'));
    return;
  }
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Undefined when there is no such JSON. */
function encoded(body: unknown): string | undefined {
  try {
    return JSON.stringify(body);
  } catch {
    return undefined;
  }
}
