export type { Answer } from './answer.ts';
export { openApiDocument } from './openapi.ts';
export type { Backend } from './routes.ts';
export { listen, type ServerOptions } from './server.ts';
export type { TlsSettings } from './tls.ts';
export { liveInfo } from './wire.ts';
