/** The rules of one service, in the order in which they are checked. The first one that is broken answers. */
import { posix } from 'node:path';
import { nanoseconds } from './duration.ts';
import type { HealthCheck, PortSpec, Protocol, ServiceSpec } from './manifest.ts';
import { flatServiceName } from './manifest.ts';
import { invalid, type Place, placeIn, shown } from './shape.ts';
import { counts, dependencyConditions, patterns, type WrittenService } from './written.ts';

export interface RuleContext {
  /** A flat manifest has nobody to depend on. */
  readonly flat: boolean;
  /** Fixed host ports are refused on the way in; data of older leases is read as it is. */
  readonly refuseHostPorts: boolean;
}

export function checkedService(written: WrittenService, place: Place, context: RuleContext): ServiceSpec {
  const at = (field: string): Place => placeIn(place, field);
  const image = written.image ?? '';
  if (image === '') throw invalid(at('image'), 'an image is required');
  checkDependencyForm(written, at('depends_on'), context);
  checkCounts(written, at);
  const ports = checkedPorts(written, at('ports'), context);
  const healthCheck = checkedHealthCheck(written, at('health_check'));
  const env = checkedEnv(written, at('env'));
  const labels = checkedLabels(written, at('labels'));
  const tmpfs = checkedTmpfs(written, at('tmpfs'));
  const user = checkedUser(written, at('user'));
  const stopGraceNs = checkedStopGrace(written, at('stop_grace_period'));
  const expose = checkedExpose(written, at('expose'));
  return {
    image,
    ports,
    env,
    command: written.command ?? [],
    args: written.args ?? [],
    labels,
    ...(healthCheck !== undefined && { healthCheck }),
    tmpfs,
    ...(user !== undefined && { user }),
    dependsOn: new Map(
      [...(written.depends_on ?? [])].map(([name, { condition }]) => [
        name,
        condition === 'service_healthy' ? condition : 'service_started',
      ]),
    ),
    ...(stopGraceNs !== undefined && { stopGraceNs }),
    ...(written.init !== undefined && { init: written.init }),
    expose,
  };
}

function checkDependencyForm(written: WrittenService, place: Place, context: RuleContext): void {
  const dependencies = written.depends_on ?? new Map();
  if (context.flat && dependencies.size > 0)
    throw invalid(place, `only a stack can have dependencies; this manifest has no "services"`);
  for (const [name, { condition }] of dependencies) {
    if (!dependencyConditions.has(condition ?? ''))
      throw invalid(
        placeIn(placeIn(place, name), 'condition'),
        `must be service_started or service_healthy, got ${shown(condition ?? '')}`,
      );
  }
}

function checkCounts(written: WrittenService, at: (field: string) => Place): void {
  const sizes = {
    ports: written.ports?.size ?? 0,
    expose: written.expose?.length ?? 0,
    env: written.env?.size ?? 0,
    labels: written.labels?.size ?? 0,
  };
  for (const [field, size] of Object.entries(sizes)) {
    const most = counts[field as keyof typeof sizes];
    if (size > most) throw invalid(at(field), `${size} entries, at most ${most} are allowed`);
  }
}

function checkedPorts(written: WrittenService, place: Place, context: RuleContext): readonly PortSpec[] {
  const ports = new Map<string, PortSpec>();
  for (const [key, config] of written.ports ?? []) {
    const spec = portOf(key, place, config.host_port ?? 0, config.ingress ?? false, context);
    const name = `${spec.port}/${spec.protocol}`;
    if (ports.has(name)) throw invalid(placeIn(place, key), `port ${name} is declared twice`);
    ports.set(name, spec);
  }
  const behindIngress = [...ports].filter(([, { ingress }]) => ingress).map(([name]) => name);
  if (behindIngress.length > 1)
    throw invalid(place, `only one port can have ingress, got ${behindIngress.join(' and ')}`);
  return [...ports.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

function portOf(
  key: string,
  place: Place,
  hostPort: number,
  ingress: boolean,
  context: RuleContext,
): PortSpec {
  const at = placeIn(place, key);
  const port = Number.parseInt(key, 10);
  if (!patterns.port.test(key) || port < 1 || port > 65535)
    throw invalid(at, `a port is written as 1-65535, "/", tcp or udp; got ${shown(key)}`);
  if (hostPort < 0 || hostPort > 65535)
    throw invalid(placeIn(at, 'host_port'), `must be 0-65535, got ${hostPort}`);
  if (hostPort > 0 && context.refuseHostPorts)
    throw invalid(
      placeIn(at, 'host_port'),
      `fixed host ports are not allowed, got ${hostPort}; leave it out`,
    );
  const protocol: Protocol = key.toLowerCase().endsWith('/udp') ? 'udp' : 'tcp';
  if (ingress && protocol === 'udp')
    throw invalid(placeIn(at, 'ingress'), `only a TCP port can have ingress`);
  return { port, protocol, ingress, hostPort };
}

function checkedHealthCheck(written: WrittenService, place: Place): HealthCheck | undefined {
  const check = written.health_check;
  if (check === undefined) return undefined;
  const test = check.test ?? [];
  const [kind] = test;
  const wellFormed =
    kind === 'NONE' ? test.length === 1 : (kind === 'CMD' || kind === 'CMD-SHELL') && test.length > 1;
  if (!wellFormed)
    throw invalid(
      placeIn(place, 'test'),
      `must be ["CMD", ...], ["CMD-SHELL", ...] with at least one more element, or ["NONE"]; got ${shown(test)}`,
    );
  const timings = { interval: check.interval, timeout: check.timeout, start_period: check.start_period };
  for (const [field, ns] of Object.entries(timings)) {
    if (ns !== undefined && ns < 0) throw invalid(placeIn(place, field), `must not be negative`);
  }
  if (check.retries !== undefined && check.retries < 0)
    throw invalid(placeIn(place, 'retries'), `must not be negative, got ${check.retries}`);
  return {
    test,
    ...(check.interval && { intervalNs: check.interval }),
    ...(check.timeout && { timeoutNs: check.timeout }),
    ...(check.retries && { retries: check.retries }),
    ...(check.start_period && { startPeriodNs: check.start_period }),
  };
}

/** Why a tenant may not set this variable, or undefined if he may. */
export function envNameProblem(name: string): string | undefined {
  if (name === '') return 'a name must not be empty';
  if (name.includes('=') || name.includes('\0')) return 'a name must contain neither "=" nor NUL';
  if (name.toUpperCase() === 'PATH') return 'PATH must not be set';
  if (/^(LD_|FRED_|DOCKER_)/i.test(name)) return 'a name must not begin with LD_, FRED_ or DOCKER_';
  return undefined;
}

function checkedEnv(written: WrittenService, place: Place): ReadonlyMap<string, string> {
  const env = written.env ?? new Map<string, string>();
  for (const name of env.keys()) {
    const problem = envNameProblem(name);
    if (problem !== undefined) throw invalid(place, `${problem}; got ${shown(name)}`);
  }
  return env;
}

export function labelKeyProblem(key: string): string | undefined {
  return patterns.labelKey.test(key) ? undefined : 'a key must not begin with fred. or traefik.';
}

function checkedLabels(written: WrittenService, place: Place): ReadonlyMap<string, string> {
  const labels = written.labels ?? new Map<string, string>();
  for (const key of labels.keys()) {
    const problem = labelKeyProblem(key);
    if (problem !== undefined) throw invalid(place, `${problem}; got ${shown(key)}`);
  }
  return labels;
}

const reservedTmpfs = new Set(['/', '/tmp', '/run', '/proc', '/sys', '/dev']);

function checkedTmpfs(written: WrittenService, place: Place): readonly string[] {
  const paths = written.tmpfs ?? [];
  if (paths.length > counts.tmpfs)
    throw invalid(place, `${paths.length} entries, at most ${counts.tmpfs} are allowed`);
  const normalised = new Set<string>();
  for (const path of paths) {
    if (!path.startsWith('/')) throw invalid(place, `a path must be absolute, got ${shown(path)}`);
    const clean = posix.normalize(path).replace(/(?<=.)\/$/, '');
    if (reservedTmpfs.has(clean)) throw invalid(place, `${shown(path)} is provided or reserved`);
    if (/^\/(proc|sys|dev)\//.test(clean))
      throw invalid(place, `${shown(path)} lies below /proc, /sys or /dev`);
    if (normalised.has(clean)) throw invalid(place, `${shown(path)} is declared twice`);
    normalised.add(clean);
  }
  return [...normalised];
}

function checkedUser(written: WrittenService, place: Place): string | undefined {
  if (written.user === undefined || written.user === '') return undefined;
  if (!patterns.user.test(written.user))
    throw invalid(
      place,
      `must be uid, uid:gid, name or name:group without white space, got ${shown(written.user)}`,
    );
  return written.user;
}

const shortestStopGrace = nanoseconds('1s') ?? 0;
const longestStopGrace = nanoseconds('120s') ?? 0;

function checkedStopGrace(written: WrittenService, place: Place): number | undefined {
  const ns = written.stop_grace_period;
  if (ns !== undefined && (ns < shortestStopGrace || ns > longestStopGrace))
    throw invalid(place, `must be between 1s and 120s, got ${ns / 1e9}s`);
  return ns;
}

function checkedExpose(written: WrittenService, place: Place): readonly number[] {
  const ports = new Set<number>();
  for (const entry of written.expose ?? []) {
    const port = patterns.expose.test(entry) ? Number.parseInt(entry, 10) : 0;
    if (port < 1 || port > 65535)
      throw invalid(place, `a port is a decimal string 1-65535, got ${shown(entry)}`);
    if (ports.has(port)) throw invalid(place, `port ${port} is declared twice`);
    ports.add(port);
  }
  return [...ports];
}

export function serviceNameProblem(name: string): string | undefined {
  if (name.length >= 1 && name.length <= 63 && patterns.serviceName.test(name)) return undefined;
  return `a service name is 1-63 lower-case letters, digits and hyphens, such as ${shown(flatServiceName)}; got ${shown(name)}`;
}
