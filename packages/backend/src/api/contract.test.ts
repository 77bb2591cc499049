/** Drives every route, and holds each answer against the document that the same routes publish. */
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ApiBench } from '../testing/api-bench.ts';
import type { Reply } from '../testing/http-call.ts';
import { item, newLease } from '../testing/leases.ts';
import { openApiDocument } from './openapi.ts';

interface Operation {
  readonly security?: unknown;
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly Envelope: object } };
}

const document: Document = JSON.parse(JSON.stringify(openApiDocument('test')));
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
const seen = new Set<string>();

function operationFor(method: string, target: string) {
  const path = target.split('?')[0] ?? '';
  const found = operations.find(
    (one) => one.method === method && new RegExp(`^${one.path.replace(/\{[^}]+\}/, '[^/]+')}$`).test(path),
  );
  if (found === undefined) throw new Error(`${method} ${path} is not in the document`);
  return found;
}

/** Is the answer one that the document has, and of the form that it says? */
function hold(method: string, target: string, { status, body, headers, text }: Reply): void {
  const { path, operation } = operationFor(method, target);
  const documented = operation.responses[status];
  expect(documented, `${method} ${path} answered ${status}: ${text}`).toBeDefined();
  seen.add(`${method} ${path} ${status}`);
  const [[type, content] = []] = Object.entries(documented?.content ?? {});
  if (type === undefined || content === undefined) {
    expect(text).toBe('');
    return;
  }
  expect(headers['content-type']).toContain(type);
  if (type !== 'application/json') return;
  const schema = '$ref' in content.schema ? document.components.schemas.Envelope : content.schema;
  const strict = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  const checked = strict.safeParse(body);
  expect(checked.error, `${method} ${path} ${status}: ${text}`).toBeUndefined();
}

const uuid = newLease().uuid;
const callback_url = 'http://127.0.0.1/callbacks/provision';
const payload = Buffer.from('{"services":{"web":{"image":"nginx"}}}').toString('base64');
const items = [{ sku: 'small', quantity: 1, service_name: 'web' }];
const provision = { lease_uuid: uuid, tenant: 't', provider_uuid: 'p', items, callback_url, payload };

describe('the contract', () => {
  it('is kept by every route in every way that it can be answered', async () => {
    await using bench = await ApiBench.start({
      total: { cpuCores: 1, memoryMb: 1024, diskMb: 0 },
      maxBodyBytes: 5000,
    });
    const { host } = bench;
    const call = async (method: string, target: string, body?: unknown): Promise<Reply> => {
      const reply = await bench.call(method, target, body);
      hold(method, target, reply);
      return reply;
    };
    const finish = async (
      result: Parameters<NonNullable<ReturnType<typeof host.work.running.get>>['end']>[0],
      status: string,
    ) => {
      await host.until('the work runs', () => host.work.running.has(uuid));
      host.work.running.get(uuid)?.end(result);
      await host.until(`it is ${status}`, () => (host.book.get(uuid)?.status ?? 'none') === status);
      await host.settled();
    };

    for (const { path, method, operation } of operations) {
      const target = path.replace(/\{[^}]+\}/, uuid);
      if (operation.security === undefined) continue;
      hold(method, target, await bench.send(method, target, Buffer.alloc(0)));
      if (operation.requestBody !== undefined) await call(method, target, 'x'.repeat(6000));
    }
    for (const path of [
      '/restart',
      '/update',
      '/restore',
      '/provision',
      '/deprovision',
      '/reconcile_custom_domain',
    ])
      await call('POST', path, '{');
    for (const path of [`/info/${uuid}`, `/logs/${uuid}`, `/provisions/${uuid}`, `/releases/${uuid}`])
      await call('GET', path);
    await call('POST', '/restart', { lease_uuid: uuid, callback_url });
    await call('POST', '/update', { lease_uuid: uuid, callback_url, payload });
    await call('POST', '/restore', { lease_uuid: uuid, from_lease_uuid: 'x', callback_url, items });
    await call('GET', '/provisions?limit=x');
    await call('GET', '/retentions?limit=x');
    await call('GET', '/retentions');
    await call('GET', `/logs/${uuid}?tail=x`);
    for (const path of ['/health', '/stats', '/metrics', '/debug/actors', '/debug/openapi.json'])
      await call('GET', path);
    bench.engineDown = true;
    await call('GET', '/health');

    await call('POST', '/provision', { ...provision, items: [{ ...items[0], quantity: 3 }] });
    await call('POST', '/provision', provision);
    await call('POST', '/provision', provision);
    await call('POST', '/restart', { lease_uuid: uuid, callback_url });
    await call('POST', '/update', { lease_uuid: uuid, callback_url, payload });
    await finish({ kind: 'provisioned', items: [item()] }, 'ready');
    bench.instances = [
      {
        service: 'web',
        index: 0,
        containerId: 'abc',
        image: 'nginx',
        status: 'running',
        fqdn: undefined,
        ports: new Map(),
      },
    ];
    bench.logs = { 'web/0': 'x' };
    for (const path of [
      `/info/${uuid}`,
      `/logs/${uuid}`,
      `/provisions/${uuid}`,
      '/provisions',
      `/releases/${uuid}`,
    ])
      await call('GET', path);
    await call('GET', '/debug/actors');
    await call('POST', '/reconcile_custom_domain', { lease_uuid: uuid, items });
    await call('POST', '/restart', { lease_uuid: uuid, callback_url });
    await finish({ kind: 'replaced', images: { web: 'nginx' } }, 'ready');
    await call('POST', '/update', { lease_uuid: uuid, callback_url, payload });
    await finish({ kind: 'replaced', images: { web: 'nginx' } }, 'ready');
    const closing = call('POST', '/deprovision', { lease_uuid: uuid });
    await finish({ kind: 'closed', retained: false }, 'none');
    await closing;
  });

  afterAll(() => {
    // 500 needs something to break; the rest needs kept data, or a race between a look and a step.
    const elsewhere = ['POST /restore 202', 'POST /restore 409', 'POST /restore 503'];
    const races = ['POST /reconcile_custom_domain 404', 'POST /reconcile_custom_domain 409'];
    const expected = operations.flatMap(({ path, method, operation }) =>
      Object.keys(operation.responses)
        .filter((status) => status !== '500' && !(status === '413' && method === 'GET'))
        .map((status) => `${method} ${path} ${status}`),
    );
    console.log(`contract: ${seen.size} of ${expected.length} documented answers seen`);
    const missing = expected.filter(
      (answer) => !seen.has(answer) && ![...elsewhere, ...races].includes(answer),
    );
    expect(missing).toEqual([]);
  });

  it('is published', async () => {
    const text = `${JSON.stringify(openApiDocument('0'), undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../../../docs/reference/backend-openapi.json');
  });
});
