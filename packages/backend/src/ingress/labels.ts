import type { PortSpec } from '../manifest/index.ts';
import { type InstanceId, label } from '../names/index.ts';
import { customDomainProblem } from './custom-domain.ts';
import { customRouterName, hostName, routerName } from './names.ts';

export interface IngressSettings {
  readonly wildcardDomain: string;
  readonly entrypoint: string;
  readonly certResolver: string;
  readonly middlewares: readonly string[];
}

/** The port behind the public host name: the one that asks for it, else 80, else 8080, else the lowest; never UDP. */
export function routablePort(ports: readonly PortSpec[]): number | undefined {
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp');
  const chosen =
    tcp.find(({ ingress }) => ingress) ??
    tcp.find(({ port }) => port === 80) ??
    tcp.find(({ port }) => port === 8080);
  return chosen?.port ?? (tcp.length === 0 ? undefined : Math.min(...tcp.map(({ port }) => port)));
}

export interface Routed {
  readonly instance: InstanceId;
  readonly quantity: number;
  readonly port: number;
  readonly network: string;
  readonly customDomain?: string;
}

/** The labels that make the proxy route to this instance, and those that say under which names. */
export function ingressLabels(settings: IngressSettings, routed: Routed): ReadonlyMap<string, string> {
  const { instance, quantity, port, network, customDomain } = routed;
  const router = routerName(instance, quantity);
  const fqdn = hostName(instance, quantity, settings.wildcardDomain);
  const labels = new Map([
    [label.fqdn, fqdn],
    ['traefik.enable', 'true'],
    ['traefik.docker.network', network],
    [`traefik.http.routers.${router}.rule`, `Host(\`${fqdn}\`)`],
    [`traefik.http.routers.${router}.entrypoints`, settings.entrypoint],
    [`traefik.http.routers.${router}.tls`, 'true'],
    // Named, because a second router on the same container would make the implicit binding ambiguous.
    [`traefik.http.routers.${router}.service`, router],
    [`traefik.http.services.${router}.loadbalancer.server.port`, String(port)],
  ]);
  if (customDomain === undefined || customDomainProblem(customDomain, settings.wildcardDomain) !== undefined)
    return labels;
  const custom = customRouterName(instance.lease, instance.service);
  const service = `${custom}-svc`;
  return new Map([
    ...labels,
    [label.customDomain, customDomain],
    [`traefik.http.routers.${custom}.rule`, `Host(\`${customDomain}\`)`],
    [`traefik.http.routers.${custom}.entrypoints`, settings.entrypoint],
    [`traefik.http.routers.${custom}.tls`, 'true'],
    [`traefik.http.routers.${custom}.tls.certresolver`, settings.certResolver],
    [`traefik.http.routers.${custom}.middlewares`, settings.middlewares.join(',')],
    [`traefik.http.routers.${custom}.service`, service],
    [`traefik.http.services.${service}.loadbalancer.server.port`, String(port)],
  ]);
}
