import type { HealthCheck, ServiceSpec, StackManifest } from './manifest.ts';

/** The stack form of a manifest, as JSON. Reading it back gives an equal manifest. */
export function serializeManifest(stack: StackManifest): Uint8Array {
  const services = new Map([...stack.services].map(([name, service]) => [name, writtenForm(service)]));
  return new TextEncoder().encode(toJson(new Map([['services', services]])));
}

type Json = string | number | boolean | readonly Json[] | ReadonlyMap<string, Json>;

function writtenForm(service: ServiceSpec): ReadonlyMap<string, Json> {
  const fields: readonly (readonly [string, Json | undefined])[] = [
    ['image', service.image],
    ['ports', service.ports.length === 0 ? undefined : new Map(service.ports.map(writtenPort))],
    ['env', nonEmptyMap(service.env)],
    ['command', nonEmptyList(service.command)],
    ['args', nonEmptyList(service.args)],
    ['labels', nonEmptyMap(service.labels)],
    ['health_check', service.healthCheck && writtenHealthCheck(service.healthCheck)],
    ['tmpfs', nonEmptyList(service.tmpfs)],
    ['user', service.user],
    [
      'depends_on',
      nonEmptyMap(
        new Map(
          [...service.dependsOn].map(([name, condition]) => [name, new Map([['condition', condition]])]),
        ),
      ),
    ],
    ['stop_grace_period', service.stopGraceNs],
    ['init', service.init],
    ['expose', nonEmptyList(service.expose.map(String))],
  ];
  return present(fields);
}

function writtenPort(spec: ServiceSpec['ports'][number]): [string, Json] {
  const config = present([
    ['host_port', spec.hostPort === 0 ? undefined : spec.hostPort],
    ['ingress', spec.ingress ? true : undefined],
  ]);
  return [`${spec.port}/${spec.protocol}`, config];
}

function writtenHealthCheck(check: HealthCheck): Json {
  return present([
    ['test', check.test],
    ['interval', check.intervalNs],
    ['timeout', check.timeoutNs],
    ['retries', check.retries],
    ['start_period', check.startPeriodNs],
  ]);
}

function present(fields: readonly (readonly [string, Json | undefined])[]): ReadonlyMap<string, Json> {
  return new Map(fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

const nonEmptyList = (list: readonly string[]): Json | undefined => (list.length === 0 ? undefined : list);
const nonEmptyMap = (map: ReadonlyMap<string, Json>): Json | undefined => (map.size === 0 ? undefined : map);

/** JSON.stringify knows no maps, and an object would give some of a tenant's keys a meaning. */
function toJson(value: Json): string {
  if (value instanceof Map) {
    const entries = [...value].map(([key, one]: [string, Json]) => `${JSON.stringify(key)}:${toJson(one)}`);
    return `{${entries.join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map((one: Json) => toJson(one)).join(',')}]`;
  return JSON.stringify(value);
}
