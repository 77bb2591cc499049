import { matcherOf, type RequestPattern, withoutVersion } from './pattern.ts';

/** Whether a request may pass. */
export type Permission = (method: string, path: string) => boolean;

/** Only what one of the patterns names may pass. */
export function allowOnly(patterns: readonly RequestPattern[]): Permission {
  const matchers = patterns.map(matcherOf);
  return (method, path) => matchers.some((matches) => matches(method, path));
}

/** The switches of the usual socket proxies; POST stands for every method that changes something. */
export const socketProxySwitches = [
  'CONTAINERS',
  // Only some proxies have it; POST allows the method as well.
  'DELETE',
  'EVENTS',
  'EXEC',
  'IMAGES',
  'INFO',
  'NETWORKS',
  'PING',
  'POST',
  'SYSTEM',
  'VERSION',
  'VOLUMES',
] as const;
export type SocketProxySwitch = (typeof socketProxySwitches)[number];

const alwaysOn: readonly SocketProxySwitch[] = ['EVENTS', 'PING', 'VERSION'];

/** What a socket proxy lets pass with these switches on. */
export function socketProxy(switches: readonly SocketProxySwitch[]): Permission {
  const on = new Set<string>([...switches, ...alwaysOn]);
  return (method, path) => {
    if (method !== 'GET' && method !== 'HEAD' && !on.has('POST')) return false;
    const [, section = ''] = withoutVersion(path).split('/');
    return on.has(section.replace('_', '').toUpperCase());
  };
}
