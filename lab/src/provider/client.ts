/** Calls a backend as the provider daemon does: signed, over HTTP/1.1, and taking nothing that the contract does not have. */
import { Agent, request } from 'node:http';
import type * as z from 'zod';
import { labErrors } from '../errors.ts';
import { header, signatureOf } from './signature.ts';
import { type Provision, wire } from './wire.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Item {
  readonly sku: string;
  readonly quantity: number;
  readonly service_name?: string;
  readonly custom_domain?: string;
}

export interface NewLease {
  readonly lease_uuid: string;
  readonly tenant: string;
  readonly provider_uuid: string;
  readonly items: readonly Item[];
}

/** An answer that is no success: its status, and what the envelope says. */
export interface Refusal extends z.infer<typeof wire.envelope> {
  readonly status: number;
}

export class ProviderClient {
  readonly #port: number;
  readonly #secret: string;
  readonly #callbackUrl: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 10 });

  constructor(port: number, secret: string, callbackUrl: string) {
    this.#port = port;
    this.#secret = secret;
    this.#callbackUrl = callbackUrl;
  }

  provision(lease: NewLease, manifest: unknown) {
    const body = { ...lease, callback_url: this.#callbackUrl, payload: payloadOf(manifest) };
    return this.#post('/provision', body, 202, wire.accepted);
  }

  update(lease: string, manifest: unknown) {
    const body = { lease_uuid: lease, callback_url: this.#callbackUrl, payload: payloadOf(manifest) };
    return this.#post('/update', body, 202, wire.updating);
  }

  restart(lease: string) {
    return this.#post(
      '/restart',
      { lease_uuid: lease, callback_url: this.#callbackUrl },
      202,
      wire.restarting,
    );
  }

  restore(lease: NewLease, from: string) {
    const body = { ...lease, from_lease_uuid: from, callback_url: this.#callbackUrl };
    return this.#post('/restore', body, 202, wire.restoring);
  }

  deprovision(lease: string) {
    return this.#post('/deprovision', { lease_uuid: lease }, 200, wire.ok);
  }

  /** 204, or 202 of an older backend: there is nothing to read. */
  async reconcileDomains(lease: string, items: readonly Item[]): Promise<Refusal | undefined> {
    const reply = await this.call('POST', '/reconcile_custom_domain', { lease_uuid: lease, items });
    if (reply.status !== 204) return refusalOf(reply);
    return reply.text === '' ? undefined : offContract(reply, 'a 204 with a body');
  }

  info(lease: string) {
    return this.#get(`/info/${lease}`, wire.info);
  }

  logs(lease: string, tail = 100) {
    return this.#get(`/logs/${lease}?tail=${tail}`, wire.logs);
  }

  provisionOf(lease: string) {
    return this.#get(`/provisions/${lease}`, wire.provision);
  }

  releases(lease: string) {
    return this.#get(`/releases/${lease}`, wire.releases);
  }

  lookup(...leases: readonly string[]) {
    return this.#get(`/provisions?${leases.map((one) => `lease_uuid=${one}`).join('&')}`, wire.provisions);
  }

  stats() {
    return this.#get('/stats', wire.stats);
  }

  health() {
    return this.#get('/health', wire.healthy);
  }

  retentions() {
    return this.#get('/retentions', wire.retentions);
  }

  /** All live leases, page by page; any doubt about a page is an error, because half a list is worse than none. */
  async walk(limit = 1000): Promise<readonly Provision[]> {
    const all: Provision[] = [];
    let cursor = '';
    do {
      const after = cursor === '' ? '' : `continue=${cursor}&`;
      const page = accepted(await this.#get(`/provisions?${after}limit=${limit}`, wire.provisions));
      all.push(...page.provisions);
      const next = page.continue ?? '';
      if (next !== '' && next <= cursor) throw new Error(`the page after ${cursor} leads to ${next}`);
      cursor = next;
    } while (cursor !== '');
    return all;
  }

  /** Calls with a good signature, and hands back whatever is answered. */
  call(method: string, target: string, body?: unknown): Promise<Reply> {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    return this.send(method, target, bytes, {
      [header]: signatureOf(this.#secret, method, target, bytes),
      ...(method === 'POST' && { 'Content-Type': 'application/json' }),
    });
  }

  send(
    method: string,
    target: string,
    body: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.#port, method, path: target, headers, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post<S extends z.ZodType>(target: string, body: unknown, status: number, schema: S) {
    return answerOf(await this.call('POST', target, body), status, schema);
  }

  async #get<S extends z.ZodType>(target: string, schema: S) {
    return answerOf(await this.call('GET', target), 200, schema);
  }
}

const payloadOf = (manifest: unknown): string => Buffer.from(JSON.stringify(manifest)).toString('base64');

function answerOf<S extends z.ZodType>(reply: Reply, status: number, schema: S): z.output<S> | Refusal {
  if (reply.status !== status) return refusalOf(reply);
  const { success, data, error } = schema.safeParse(bodyOf(reply));
  return success ? data : offContract(reply, error.message);
}

function refusalOf(reply: Reply): Refusal {
  if (reply.status < 400) return offContract(reply, 'another success than agreed');
  const { success, data, error } = wire.envelope.safeParse(bodyOf(reply));
  return success ? { status: reply.status, ...data } : offContract(reply, error.message);
}

function bodyOf(reply: Reply): unknown {
  if (reply.headers['content-type'] !== 'application/json')
    return offContract(reply, `the content type is ${String(reply.headers['content-type'])}`);
  try {
    return JSON.parse(reply.text);
  } catch {
    return offContract(reply, 'the body is no JSON');
  }
}

function offContract({ status, text }: Reply, problem: string): never {
  throw labErrors.error('OFF_CONTRACT', `${problem}; the answer was ${status} ${text.slice(0, 2000)}`);
}

/** The answer, which has to be a success. */
export function accepted<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw labErrors.error('OFF_CONTRACT', `refused: ${JSON.stringify(answer)}`);
  return answer;
}

/** The refusal, which it has to be. */
export function refused<T>(answer: T | Refusal): Refusal {
  if (!isRefusal(answer))
    throw labErrors.error('OFF_CONTRACT', `not refused but answered: ${JSON.stringify(answer)}`);
  return answer;
}

const isRefusal = <T>(answer: T | Refusal): answer is Refusal =>
  typeof answer === 'object' && answer !== null && 'error' in answer && 'status' in answer;
