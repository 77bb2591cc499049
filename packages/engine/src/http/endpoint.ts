import { engineErrors } from '../errors.ts';

/** Files of a TLS identity, as the Docker tools name them. */
export interface TlsFiles {
  readonly folder: string;
  /** false: encrypt, but take any certificate (DOCKER_CERT_PATH without DOCKER_TLS_VERIFY). */
  readonly verify: boolean;
}

/** Where the engine listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** A path before every request's own, for engines behind a proxy; without a slash at the end. */
      readonly basePath: string;
      readonly tls?: TlsFiles;
    };

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/** A password that stands where none belongs still does not go into a log. */
const withoutPassword = (host: string): string => host.replace(/\/\/[^/]*@/, '//***@');

const wrong = (host: string, why: string) =>
  engineErrors.error('ENGINE_CONFIGURATION', `DOCKER_HOST "${withoutPassword(host)}": ${why}`);

/** Reads an address as the Docker tools take it: unix:///path, tcp://host[:port][/path], http:// and https:// alike. */
export function parseEndpoint(host: string, tls?: TlsFiles): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/.exec(host);
  if (match === null) throw wrong(host, 'has no scheme; write unix:///path/to.sock or tcp://host:port');
  const [, scheme = '', rest = ''] = match;
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/')) throw wrong(host, 'the path of a socket begins with a slash');
      return { kind: 'unix', socketPath: rest };
    case 'tcp':
    case 'http':
      return tcpEndpoint(host, rest, tls);
    case 'https':
      return tcpEndpoint(host, rest, tls ?? { folder: '', verify: true });
    default:
      throw wrong(host, `the scheme "${scheme}" is not supported; take unix:// or tcp://`);
  }
}

function tcpEndpoint(given: string, rest: string, tls: TlsFiles | undefined): Endpoint {
  let url: URL;
  try {
    url = new URL(`http://${rest}`);
  } catch {
    throw wrong(given, 'is not host[:port][/path]');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw wrong(given, 'may have a host, a port and a path, and nothing else');
  // URL leaves the port out where it is the scheme's own (80), although it was written.
  const port = url.port !== '' ? Number(url.port) : /^[^/]*:80(\/|$)/.test(rest) ? 80 : defaultPort(tls);
  return {
    kind: 'tcp',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...(tls === undefined ? {} : { tls }),
  };
}

const defaultPort = (tls: TlsFiles | undefined): number => (tls === undefined ? 2375 : 2376);

/**
 * The engine that the environment names. DOCKER_CERT_PATH turns TLS on, DOCKER_TLS_VERIFY (any text) lets it check the
 * engine's certificate, and turns it on as well, with the certificates in ~/.docker.
 */
export function endpointFromEnvironment(env: Readonly<Record<string, string | undefined>>): Endpoint {
  const verify = (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  const folder = env['DOCKER_CERT_PATH'] || (verify ? `${env['HOME'] ?? '/root'}/.docker` : '');
  return parseEndpoint(env['DOCKER_HOST'] || DEFAULT_HOST, folder === '' ? undefined : { folder, verify });
}

/** For log lines and messages. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.socketPath}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `tcp://${host}:${endpoint.port}${endpoint.basePath}${endpoint.tls === undefined ? '' : ' (TLS)'}`;
}
