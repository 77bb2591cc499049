/** Every route: what it takes, what it answers, and what it does. The document of the API is made from this table. */
import type * as z from 'zod/mini';
import { callbackUrlProblem } from '../callbacks/index.ts';
import type { LeaseRegistry } from '../leases/index.ts';
import type { Operations, Views } from '../operations/index.ts';
import { type Answer, type InternalText, Refused } from './answer.ts';
import { lookupFrom, pageFrom, tailFrom } from './query.ts';
import { answers, requests } from './schemas.ts';
import { leaseInfo, liveInfo, provisionInfo, releaseInfo, stats } from './wire.ts';

/** What the routes work on. */
export interface Backend {
  readonly operations: Operations;
  readonly views: Views;
  readonly registry: Pick<LeaseRegistry, 'snapshot'>;
  /** Where tenants reach published ports. */
  readonly hostAddress: string;
  /** The text that monitoring reads. */
  readonly metrics: () => Answer;
  readonly openApi: () => unknown;
}

export interface Call<Body> {
  readonly backend: Backend;
  /** The part of the path that the route leaves open. */
  readonly segment: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
}

interface RouteParts {
  readonly path: string;
  readonly auth: 'signed' | 'open';
  readonly summary: string;
  /** What a success answers. */
  readonly success: { readonly status: number; readonly schema?: z.ZodMiniType };
  /** What else may be answered, beside 401 and 413 of signed routes. */
  readonly refusals: readonly number[];
  readonly internal: InternalText;
  readonly query?: Readonly<Record<string, string>>;
}

interface GetRoute extends RouteParts {
  readonly method: 'GET';
  readonly handle: (call: Call<undefined>) => Promise<Answer>;
}

interface PostRoute extends RouteParts {
  readonly method: 'POST';
  readonly request: z.ZodMiniType;
  /** Fields that must not be empty, for the document. */
  readonly required: readonly string[];
  /** Reads the body and does the work. */
  readonly handle: (call: Call<unknown>) => Promise<Answer>;
}

export type Route = GetRoute | PostRoute;

type PostParts<S extends z.ZodMiniType> = Omit<PostRoute, 'handle' | 'method' | 'request'> & {
  readonly request: S;
  readonly handle: (call: Call<z.infer<S>>) => Promise<Answer>;
};

function post<S extends z.ZodMiniType>(parts: PostParts<S>): PostRoute {
  const { request } = parts;
  return {
    ...parts,
    method: 'POST',
    handle: (call) => {
      const read = request.safeParse(call.body);
      if (!read.success) throw new Refused(400, 'invalid request body');
      return parts.handle({ ...call, body: read.data });
    },
  };
}

const get = (parts: Omit<GetRoute, 'method'>): GetRoute => ({ ...parts, method: 'GET' });
const json = (status: number, body: unknown): Answer => ({ status, body });

function needs(field: string, value: string | { readonly length: number }): void {
  if (value.length === 0) throw new Refused(400, `${field} is required`);
}

function needsCallback(url: string): void {
  needs('callback_url', url);
  const problem = callbackUrlProblem(url);
  if (problem !== undefined) throw new Refused(400, `invalid callback_url: ${problem}`);
}

const paging = {
  limit: 'entries of a page, at most 5000; all without it',
  continue: 'the id after which the page begins',
};

export const routes: readonly Route[] = [
  post({
    path: '/provision',
    auth: 'signed',
    summary: 'Begin a lease; the outcome comes by callback',
    request: requests.provision,
    required: ['lease_uuid', 'callback_url', 'items', 'payload'],
    success: { status: 202, schema: answers.accepted },
    refusals: [400, 409, 500, 503],
    internal: 'shown',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      needsCallback(body.callback_url);
      needs('items', body.items);
      const { lease_uuid: leaseUuid, provider_uuid: providerUuid, callback_url: callbackUrl } = body;
      const { tenant, items, payload } = body;
      await backend.operations.provision(
        { leaseUuid, tenant, providerUuid, items, callbackUrl, payload },
        signal,
      );
      return json(202, { provision_id: leaseUuid });
    },
  }),
  post({
    path: '/deprovision',
    auth: 'signed',
    summary: 'End a lease; answers when it is gone',
    request: requests.deprovision,
    required: ['lease_uuid'],
    success: { status: 200, schema: answers.status },
    refusals: [400, 500],
    internal: 'shown',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      await backend.operations.deprovision(body.lease_uuid, signal);
      return json(200, { status: 'ok' });
    },
  }),
  get({
    path: '/info/{lease_uuid}',
    auth: 'signed',
    summary: 'How to reach a lease that is ready',
    success: { status: 200, schema: answers.leaseInfo },
    refusals: [404, 500],
    internal: 'shown',
    handle: async ({ backend, segment }) =>
      json(200, leaseInfo(backend.hostAddress, await backend.views.instances(segment))),
  }),
  get({
    path: '/logs/{lease_uuid}',
    auth: 'signed',
    summary: 'The last lines of every container',
    query: { tail: 'lines of each container, 1 to 10000; 100 without it' },
    success: { status: 200, schema: answers.logs },
    refusals: [400, 404, 500],
    internal: 'shown',
    handle: async ({ backend, segment, query, signal }) =>
      json(200, await backend.views.logs(segment, tailFrom(query), signal)),
  }),
  get({
    path: '/provisions/{lease_uuid}',
    auth: 'signed',
    summary: 'What is known of one lease, live, kept or failed',
    success: { status: 200, schema: answers.provisionInfo },
    refusals: [404, 500],
    internal: 'shown',
    handle: async ({ backend, segment }) => json(200, provisionInfo(backend.views.provision(segment))),
  }),
  get({
    path: '/provisions',
    auth: 'signed',
    summary: 'Live leases, all or by page or by id',
    query: { lease_uuid: 'only these, 1 to 100', ...paging },
    success: { status: 200, schema: answers.provisions },
    refusals: [400, 500],
    internal: 'shown',
    handle: async ({ backend, query }) => {
      const wanted = lookupFrom(query);
      if (wanted !== undefined) return json(200, { provisions: backend.views.lookup(wanted).map(liveInfo) });
      const { after, limit } = pageFrom(query);
      const { leases, next } = backend.views.page(after, limit);
      return json(200, { provisions: leases.map(liveInfo), continue: next });
    },
  }),
  post({
    path: '/restart',
    auth: 'signed',
    summary: 'Make all containers of a lease anew',
    request: requests.restart,
    required: ['lease_uuid', 'callback_url'],
    success: { status: 202, schema: answers.status },
    refusals: [400, 404, 409, 500],
    internal: 'hidden',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      needsCallback(body.callback_url);
      const { lease_uuid: leaseUuid, callback_url: callbackUrl } = body;
      await backend.operations.restart({ leaseUuid, callbackUrl }, signal);
      return json(202, { status: 'restarting' });
    },
  }),
  post({
    path: '/update',
    auth: 'signed',
    summary: 'Run another manifest on the items of a lease',
    request: requests.update,
    required: ['lease_uuid', 'callback_url', 'payload'],
    success: { status: 202, schema: answers.status },
    refusals: [400, 404, 409, 500],
    internal: 'hidden',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      needsCallback(body.callback_url);
      needs('payload', body.payload);
      const { lease_uuid: leaseUuid, callback_url: callbackUrl, payload } = body;
      await backend.operations.update({ leaseUuid, callbackUrl, payload }, signal);
      return json(202, { status: 'updating' });
    },
  }),
  post({
    path: '/restore',
    auth: 'signed',
    summary: 'Begin a lease with the kept data of a closed one',
    request: requests.restore,
    required: ['lease_uuid', 'from_lease_uuid', 'callback_url', 'items'],
    success: { status: 202, schema: answers.status },
    refusals: [400, 409, 422, 500, 503],
    internal: 'hidden',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      needs('from_lease_uuid', body.from_lease_uuid);
      needsCallback(body.callback_url);
      const { lease_uuid: leaseUuid, from_lease_uuid: fromLeaseUuid, callback_url: callbackUrl } = body;
      const { tenant, provider_uuid: providerUuid, items } = body;
      await backend.operations.restore(
        { leaseUuid, fromLeaseUuid, tenant, providerUuid, items, callbackUrl },
        signal,
      );
      return json(202, { status: 'restoring' });
    },
  }),
  get({
    path: '/retentions',
    auth: 'signed',
    summary: 'Closed leases whose data is kept',
    query: paging,
    success: { status: 200, schema: answers.retentions },
    refusals: [400, 500],
    internal: 'shown',
    handle: async ({ backend, query }) => {
      const { after, limit } = pageFrom(query);
      const { keys, next } = backend.views.retentions(after, limit);
      return json(200, { retentions: keys.map((key) => ({ lease_uuid: key })), continue: next });
    },
  }),
  post({
    path: '/reconcile_custom_domain',
    auth: 'signed',
    summary: 'Bring the custom domains of a lease to what the chain says',
    request: requests.reconcileCustomDomain,
    required: ['lease_uuid'],
    success: { status: 204 },
    refusals: [400, 404, 409, 500],
    internal: 'hidden',
    handle: async ({ backend, body, signal }) => {
      needs('lease_uuid', body.lease_uuid);
      await backend.operations.reconcileDomains(body.lease_uuid, body.items, signal);
      return { status: 204 };
    },
  }),
  get({
    path: '/releases/{lease_uuid}',
    auth: 'signed',
    summary: 'What a live lease has run, oldest first',
    success: { status: 200, schema: answers.releases },
    refusals: [404, 500],
    internal: 'hidden',
    handle: async ({ backend, segment }) => json(200, backend.views.releases(segment).map(releaseInfo)),
  }),
  get({
    path: '/health',
    auth: 'open',
    summary: 'Do the engine and the stores work?',
    success: { status: 200, schema: answers.status },
    refusals: [503],
    internal: 'shown',
    handle: async ({ backend }) => {
      try {
        await backend.views.checkHealth();
      } catch (error) {
        throw new Refused(503, error instanceof Error && error.message !== '' ? error.message : 'unhealthy');
      }
      return json(200, { status: 'healthy' });
    },
  }),
  get({
    path: '/stats',
    auth: 'open',
    summary: 'What there is, what is taken, what is left',
    success: { status: 200, schema: answers.stats },
    refusals: [],
    internal: 'hidden',
    handle: async ({ backend }) => json(200, stats(backend.views.usage)),
  }),
  get({
    path: '/metrics',
    auth: 'open',
    summary: 'Metrics in the Prometheus text format',
    success: { status: 200 },
    refusals: [],
    internal: 'hidden',
    handle: async ({ backend }) => backend.metrics(),
  }),
  get({
    path: '/debug/actors',
    auth: 'signed',
    summary: 'Leases with something going on, without asking them',
    success: { status: 200, schema: answers.actors },
    refusals: [],
    internal: 'hidden',
    handle: async ({ backend }) => json(200, backend.registry.snapshot()),
  }),
  get({
    path: '/debug/openapi.json',
    auth: 'signed',
    summary: 'This document',
    success: { status: 200, schema: answers.openapi },
    refusals: [],
    internal: 'hidden',
    handle: async ({ backend }) => json(200, backend.openApi()),
  }),
];
