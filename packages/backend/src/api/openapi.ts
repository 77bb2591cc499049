/** The document of the API, made from the table of routes and its schemas. */
import * as z from 'zod/mini';
import { type Route, routes } from './routes.ts';
import { answers } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

const what: Readonly<Record<number, string>> = {
  200: 'Done',
  202: 'Accepted; the outcome comes by callback',
  204: 'Nothing to do, or begun',
  400: 'The request breaks a rule',
  401: 'No signature, or a wrong one',
  404: 'No such lease',
  409: 'The state of the lease does not allow it',
  413: 'The body is too large',
  422: 'No kept data, or it does not fit',
  500: 'Something failed here',
  503: 'No room, or not healthy',
};

const schemaOf = (schema: z.ZodMiniType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<
    string,
    unknown
  >;
  return rest;
};

const asJson = (schema: Json): Json => ({ 'application/json': { schema } });
const envelope: Json = { $ref: '#/components/schemas/Envelope' };

export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    const operations = paths[route.path];
    if (operations !== undefined) operations[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'docker-backend',
      version,
      description:
        'Called by the provider daemon alone. Signed as docs/reference/backend-signatures.md says.',
    },
    paths,
    components: {
      schemas: { Envelope: schemaOf(answers.envelope, 'output') },
      securitySchemes: { signature: { type: 'apiKey', in: 'header', name: 'X-Fred-Signature' } },
    },
  };
}

function operationOf(route: Route): Json {
  const refusals = route.auth === 'signed' ? [401, 413, ...route.refusals] : route.refusals;
  const { status, schema } = route.success;
  const plain =
    route.path === '/metrics' ? { content: { 'text/plain': { schema: { type: 'string' } } } } : {};
  const success = {
    description: what[status],
    ...(schema && { content: asJson(schemaOf(schema, 'output')) }),
    ...plain,
  };
  return {
    summary: route.summary,
    ...(route.auth === 'signed' && { security: [{ signature: [] }] }),
    ...parametersOf(route),
    ...(route.method === 'POST' && {
      requestBody: { required: true, content: asJson(requestSchema(route)) },
    }),
    responses: {
      [status]: success,
      ...Object.fromEntries(
        refusals.map((code) => [code, { description: what[code], content: asJson(envelope) }]),
      ),
    },
  };
}

function requestSchema(route: Extract<Route, { method: 'POST' }>): Json {
  return { ...schemaOf(route.request, 'input'), required: route.required };
}

function parametersOf(route: Route): Json {
  const inPath = route.path.includes('{')
    ? [{ name: 'lease_uuid', in: 'path', required: true, schema: { type: 'string' } }]
    : [];
  const inQuery = Object.entries(route.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema:
      name === 'lease_uuid'
        ? { type: 'array', items: { type: 'string', format: 'uuid' } }
        : { type: 'string' },
  }));
  const parameters = [...inPath, ...inQuery];
  return parameters.length === 0 ? {} : { parameters };
}
