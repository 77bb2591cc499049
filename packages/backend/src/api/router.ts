import type { Route } from './routes.ts';

export type Found =
  | { readonly kind: 'route'; readonly route: Route; readonly segment: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrongMethod'; readonly allowed: readonly string[] };

/** Whoever writes a target as for a proxy names a host in it; routes and signatures are about what comes after that. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const [, rest] = /^https?:\/\/[^/?#]*(.*)$/is.exec(target) ?? [];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The path and the query of a request target, as transmitted. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** Finds the route of a method and a path. A wildcard stands for exactly one segment, which is percent-decoded. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const segment = segmentOf(route.path, path);
    if (segment === undefined) continue;
    if (route.method === wanted) return { kind: 'route', route, segment };
    allowed.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  }
  return allowed.length === 0 ? { kind: 'unknown' } : { kind: 'wrongMethod', allowed };
}

/** What stands for the wildcard; empty for a path without one; undefined when the path is another one. */
function segmentOf(pattern: string, path: string): string | undefined {
  const wildcard = pattern.indexOf('{');
  if (wildcard < 0) return pattern === path ? '' : undefined;
  const prefix = pattern.slice(0, wildcard);
  if (!path.startsWith(prefix)) return undefined;
  const rest = path.slice(prefix.length);
  if (rest === '' || rest.includes('/')) return undefined;
  try {
    return decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}
