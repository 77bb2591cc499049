import type * as http from 'node:http';

/**
 * `node:http`, the cheap way. An import statement reads every export of the module, and some of them are lazy doors to the
 * whole of `fetch` and WebSocket: 7 MiB that each process would keep for nothing. Types may be imported as usual.
 */
export const nodeHttp = (): typeof http => process.getBuiltinModule('node:http');
