/** Kinds of values that only this configuration has. */
import { constants } from 'node:buffer';
import { isIP } from 'node:net';
import { engineErrors, parseEndpoint } from '@berth/engine';
import { parseHostPort } from '@berth/service';
import { integer, type Kind, type NumberOptions } from '@berth/service/config';

/** What is larger cannot be told to the engine: bytes, and billionths of a core, have to be whole numbers that are exact. */
export const largestMb = 2 ** 33 - 1;
export const largestCpuCores = 9_000_000;

/** A whole number that has a stand-in where 0 (or less) is written. */
export function integerOr(standIn: number, options: NumberOptions = {}): Kind<number> {
  const kind = integer(options);
  return {
    ...kind,
    read(node, spot) {
      const value = kind.read(node, spot);
      return value === 0 ? standIn : value;
    },
  };
}

export const defaultBodySize = 2 * 1024 * 1024;
/** A body becomes one text, and Node has none that is longer. */
const largestBodySize = constants.MAX_STRING_LENGTH;

/** In the file, 0 and less mean the default; in a variable they are a mistake, and the file counts. */
export function bodySize(): Kind<number> {
  const kind = integer({ max: largestBodySize });
  return {
    ...kind,
    read(node, spot) {
      const value = kind.read(node, spot);
      if (typeof value === 'symbol' || value > 0) return value;
      return node.place === undefined ? spot.fail(`${spot.name} must be positive`, node) : defaultBodySize;
    },
  };
}

/** Where tenants reach the ports: a name or an address, perhaps with a port. */
export function hostAddressProblem(address: string): string | undefined {
  if (/[/\s]/.test(address)) return 'must be a host without "/" and blanks';
  if (isIP(address) !== 0 || isIP(address.replace(/^\[(.*)\](:\d+)?$/, '$1')) !== 0) return undefined;
  const host = address.replace(/:\d+$/, '');
  if (isIP(host) !== 0 || host === 'localhost' || /^[^.:]+(\.[^.:]+)+\.?$/.test(host)) return undefined;
  return 'must be an IP address, localhost, or a name with a dot in it';
}

export function listenAddressProblem(address: string): string | undefined {
  const parsed = parseHostPort(address);
  return typeof parsed === 'string' ? `must say where to listen: ${parsed}` : undefined;
}

export function dockerHostProblem(host: string): string | undefined {
  try {
    parseEndpoint(host);
    return undefined;
  } catch (error) {
    if (!engineErrors.is(error, 'ENGINE_CONFIGURATION')) throw error;
    return `is no address of an engine: ${error.message}`;
  }
}

export const ipProblem = (address: string): string | undefined =>
  address === '' || isIP(address) !== 0 ? undefined : 'must be an IP address or empty';

/** A resolver is asked under `host:port`. */
export function resolverProblem(resolvers: readonly string[]): string | undefined {
  const wrong = resolvers.find((resolver) => {
    const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(resolver) ?? [];
    return host === '' || Number(port) < 1 || Number(port) > 65535;
  });
  return wrong === undefined ? undefined : `entry "${wrong}" must be host:port with a port from 1 to 65535`;
}
