export { type Answered, Api, type ApiRequest, type Filters, filterQuery, segment } from './api.ts';
export { type ApiVersion, atLeast, formatApiVersion } from './api-version.ts';
export type { CallOptions } from './call-guard.ts';
export {
  type Endpoint,
  endpointFromEnvironment,
  parseEndpoint,
  type TlsFiles,
} from './endpoint.ts';
export { Fields } from './fields.ts';
export { type JsonLine, jsonLines } from './json-lines.ts';
export type { Reply } from './reply.ts';
export { Transport } from './transport.ts';
