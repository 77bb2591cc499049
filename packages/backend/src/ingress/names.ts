import { type InstanceId, sha256Hex } from '../names/index.ts';

const longestLabel = 63;

/**
 * The sub-domain of an instance. The hash makes it unguessable from the outside and unique in the wildcard domain; an empty
 * service name occurs only in containers from before there were stacks.
 */
export function subdomain({ lease, service, index }: InstanceId, quantity: number): string {
  const hash = sha256Hex(`${lease}/${service}/${index}`).slice(0, 7);
  const tail = quantity > 1 ? `${index}-${hash}` : hash;
  return service === '' ? tail : `${shortened(service, longestLabel - tail.length - 1)}-${tail}`;
}

/** A service name that does not fit keeps its beginning and gets a hash of the whole. */
function shortened(service: string, longest: number): string {
  if (service.length <= longest) return service;
  return `${service.slice(0, longest - 9).replace(/-+$/, '')}-${sha256Hex(service).slice(0, 8)}`;
}

export const hostName = (instance: InstanceId, quantity: number, wildcardDomain: string): string =>
  `${subdomain(instance, quantity)}.${wildcardDomain}`;

export const routerName = (instance: InstanceId, quantity: number): string =>
  `fred-${subdomain(instance, quantity)}`;

/** The same for all instances of a service, so that the proxy balances the custom domain over them. */
export const customRouterName = (lease: string, service: string): string =>
  `${routerName({ lease, service, index: 0 }, 1)}-custom`;
