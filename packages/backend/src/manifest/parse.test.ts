import { describe, expect, it } from 'vitest';
import { errors } from '../errors.ts';
import { encoded } from '../testing/manifests.ts';
import { type ServiceSpec, startOrder } from './index.ts';
import { parseManifest, parseStoredManifest } from './parse.ts';

const parse = (document: unknown) => parseManifest(encoded(document));
const service = (more: object) =>
  parse({ services: { web: { image: 'nginx', ...more } } }).stack.services.get('web')!;

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (errors.is(error, 'invalid_manifest')) return error.message;
    throw error;
  }
  throw new Error('the manifest was accepted');
}

const problem = (document: unknown) => problemOf(() => parse(document));
const serviceProblem = (more: object) => problem({ services: { web: { image: 'nginx', ...more } } });
const many = (count: number, entry: (index: number) => [string, unknown]) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => entry(index)));

describe('a manifest', () => {
  it('is read in full', () => {
    const { stack, flat } = parse({
      services: {
        web: {
          image: 'ghcr.io/acme/web:2.1',
          ports: { '8080/TCP': { ingress: true }, '53/udp': null },
          env: { DB_HOST: 'db', __proto__x: '' },
          command: ['/bin/web'],
          args: ['--serve'],
          labels: { 'app.kubernetes.io/name': 'web' },
          depends_on: { db: { condition: 'service_healthy' } },
          stop_grace_period: '20s',
          init: true,
          tmpfs: ['/var//cache/', '/tmp/scratch'],
          expose: ['9000'],
        },
        db: {
          image: 'postgres:16',
          user: '999:999',
          health_check: {
            test: ['CMD-SHELL', 'pg_isready'],
            interval: '5s',
            timeout: 3_000_000_000,
            retries: 10,
          },
        },
      },
    });
    expect(flat).toBe(false);
    expect([...stack.services.keys()]).toEqual(['db', 'web']);
    expect(stack.services.get('web')).toEqual({
      image: 'ghcr.io/acme/web:2.1',
      ports: [
        { port: 53, protocol: 'udp', ingress: false, hostPort: 0 },
        { port: 8080, protocol: 'tcp', ingress: true, hostPort: 0 },
      ],
      env: new Map([
        ['DB_HOST', 'db'],
        ['__proto__x', ''],
      ]),
      command: ['/bin/web'],
      args: ['--serve'],
      labels: new Map([['app.kubernetes.io/name', 'web']]),
      tmpfs: ['/var/cache', '/tmp/scratch'],
      dependsOn: new Map([['db', 'service_healthy']]),
      stopGraceNs: 20e9,
      init: true,
      expose: [9000],
    } satisfies ServiceSpec);
    expect(stack.services.get('db')?.healthCheck).toEqual({
      test: ['CMD-SHELL', 'pg_isready'],
      intervalNs: 5e9,
      timeoutNs: 3e9,
      retries: 10,
    });
  });

  it('in the flat form becomes a stack of one service called app', () => {
    const { stack, flat } = parse({ image: 'nginx', depends_on: {} });
    expect(flat).toBe(true);
    expect([...stack.services.keys()]).toEqual(['app']);
  });

  it('may spell field names in any letter case and leave optional fields null', () => {
    expect(
      parse({ Services: { web: { IMAGE: 'nginx', Init: null } } }).stack.services.get('web')?.init,
    ).toBeUndefined();
  });

  it('keeps names that would mean something to the language as plain data', () => {
    const payload = new TextEncoder().encode('{"image":"nginx","env":{"__proto__":"x","constructor":"y"}}');
    expect(parseManifest(payload).stack.services.get('app')?.env).toEqual(
      new Map([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    );
  });

  it.each([
    ['', 'the manifest is empty'],
    ['{"image":"nginx"', 'not valid JSON'],
    ['{"image":"nginx"} x', 'not valid JSON'],
    ['{"image":"nginx"}{}', 'not valid JSON'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['"nginx"', 'must be a JSON object'],
    ['\u{feff}{"image":"nginx"}', 'not valid JSON'],
    ['{"image":"nginx","ports":{"80/tcp":{"host_port":1e999}}}', 'expected an integer, got Infinity'],
  ])('is refused when the payload is %j', (payload, expected) => {
    expect(problemOf(() => parseManifest(new TextEncoder().encode(payload)))).toContain(expected);
  });

  it('is refused when the payload is not UTF-8', () => {
    expect(problemOf(() => parseManifest(Uint8Array.of(0x7b, 0xff, 0x7d)))).toContain('not UTF-8');
  });

  it('does not repeat its text when it is no JSON, for secrets may stand there', () => {
    expect(
      problemOf(() => parseManifest(new TextEncoder().encode('{"env":{"PW":"hunter2",}}'))),
    ).not.toContain('hunter2');
  });
});

describe('a rule that is broken is answered with the service, the field and the value', () => {
  it.each<[string, object, string]>([
    ['no image', { image: '' }, 'services.web.image: an image is required'],
    ['an unknown field', { imag: 'x' }, 'services.web.imag: unknown field'],
    ['a number for an image', { image: 5 }, 'services.web.image: expected a string, got 5'],
    ['a list for env', { env: ['A=b'] }, 'services.web.env: expected an object, got ["A=b"]'],
    ['a null variable', { env: { A: null } }, 'services.web.env.A: expected a string, got null'],
    [
      'no dependency condition',
      { depends_on: { db: {} } },
      'depends_on.db.condition: must be service_started or',
    ],
    [
      '65 ports',
      { ports: many(65, (n) => [`${n + 1}/tcp`, {}]) },
      'services.web.ports: 65 entries, at most 64',
    ],
    ['65 exposed ports', { expose: Array.from({ length: 65 }, (_, n) => `${n + 1}`) }, 'expose: 65 entries'],
    ['257 variables', { env: many(257, (n) => [`V${n}`, '']) }, 'env: 257 entries, at most 256'],
    ['129 labels', { labels: many(129, (n) => [`l${n}`, '']) }, 'labels: 129 entries, at most 128'],
    [
      'counts before entries',
      { ports: many(65, () => ['0/tcp', {}]), env: many(257, (n) => [`=${n}`, '']) },
      '257',
    ],
    ['port 0', { ports: { '0/tcp': {} } }, 'services.web.ports."0/tcp": a port is written as'],
    ['port 65536', { ports: { '65536/tcp': {} } }, '"65536/tcp"'],
    ['no protocol', { ports: { '80': {} } }, 'got "80"'],
    ['sctp', { ports: { '80/sctp': {} } }, 'got "80/sctp"'],
    ['two slashes', { ports: { '80/tcp/x': {} } }, 'got "80/tcp/x"'],
    ['a port twice', { ports: { '80/tcp': {}, '80/TCP': {} } }, 'port 80/tcp is declared twice'],
    [
      'a host port',
      { ports: { '80/tcp': { host_port: 8080 } } },
      'host_port: fixed host ports are not allowed, got 8080',
    ],
    [
      'a host port out of range',
      { ports: { '80/tcp': { host_port: -1 } } },
      'host_port: must be 0-65535, got -1',
    ],
    ['ingress on UDP', { ports: { '53/udp': { ingress: true } } }, '"53/udp".ingress: only a TCP port'],
    [
      'two ingress ports',
      { ports: { '80/tcp': { ingress: true }, '81/tcp': { ingress: true } } },
      'ports: only one port can have ingress, got 80/tcp and 81/tcp',
    ],
    ['an empty test', { health_check: { test: [] } }, 'health_check.test: must be'],
    ['no test', { health_check: {} }, 'health_check.test: must be'],
    ['CMD alone', { health_check: { test: ['CMD'] } }, 'got ["CMD"]'],
    ['NONE with more', { health_check: { test: ['NONE', 'x'] } }, 'got ["NONE","x"]'],
    ['another kind of test', { health_check: { test: ['cmd', 'x'] } }, 'got ["cmd","x"]'],
    [
      'negative retries',
      { health_check: { test: ['NONE'], retries: -1 } },
      'retries: must not be negative, got -1',
    ],
    [
      'an odd interval',
      { health_check: { test: ['NONE'], interval: '5 s' } },
      'interval: expected a duration',
    ],
    ['a fraction of ns', { health_check: { test: ['NONE'], timeout: 1.5 } }, 'timeout: expected a duration'],
    ['an empty variable name', { env: { '': 'x' } }, 'env: a name must not be empty'],
    ['= in a name', { env: { 'A=B': 'x' } }, 'neither "=" nor NUL; got "A=B"'],
    ['NUL in a name', { env: { 'A\u0000': 'x' } }, 'neither "=" nor NUL'],
    ['path', { env: { Path: 'x' } }, 'PATH must not be set; got "Path"'],
    ['LD_', { env: { ld_preload: 'x' } }, 'must not begin with LD_, FRED_ or DOCKER_; got "ld_preload"'],
    ['FRED_', { env: { FRED_X: 'x' } }, 'got "FRED_X"'],
    ['DOCKER_', { env: { Docker_Host: 'x' } }, 'got "Docker_Host"'],
    [
      'fred.',
      { labels: { 'FRED.lease_uuid': 'x' } },
      'labels: a key must not begin with fred. or traefik.; got "FRED.',
    ],
    ['traefik.', { labels: { 'Traefik.enable': 'x' } }, 'got "Traefik.enable"'],
    ['five tmpfs', { tmpfs: ['/a', '/b', '/c', '/d', '/e'] }, 'tmpfs: 5 entries, at most 4'],
    ['a relative tmpfs', { tmpfs: ['a'] }, 'tmpfs: a path must be absolute, got "a"'],
    ['the root', { tmpfs: ['/x/..'] }, '"/x/.." is provided or reserved'],
    ['/tmp/', { tmpfs: ['//tmp/'] }, '"//tmp/" is provided or reserved'],
    ['below /proc', { tmpfs: ['/tmp/../proc/x'] }, 'lies below /proc, /sys or /dev'],
    ['below /sys', { tmpfs: ['/sys/fs/cgroup'] }, 'lies below /proc, /sys or /dev'],
    ['below /dev', { tmpfs: ['/dev//shm/'] }, 'lies below /proc, /sys or /dev'],
    ['a tmpfs twice', { tmpfs: ['/a', '/a/'] }, '"/a/" is declared twice'],
    ['white space in a user', { user: 'a b' }, 'user: must be uid'],
    ['no user before the colon', { user: ':1' }, 'got ":1"'],
    ['no group after the colon', { user: '1:' }, 'got "1:"'],
    [
      'a short stop grace',
      { stop_grace_period: '999ms' },
      'stop_grace_period: must be between 1s and 120s, got 0.999s',
    ],
    ['a long stop grace', { stop_grace_period: '121s' }, 'got 121s'],
    [
      'a protocol in expose',
      { expose: ['80/tcp'] },
      'expose: a port is a decimal string 1-65535, got "80/tcp"',
    ],
    ['expose 0', { expose: ['0'] }, 'got "0"'],
    ['expose twice', { expose: ['80', '080'] }, 'port 80 is declared twice'],
  ])('%s', (_, more, expected) => {
    expect(serviceProblem(more)).toContain(expected);
  });

  it.each([
    ['no service', {}, 'at least one service is required'],
    ['a null service', { web: null }, 'services.web: expected an object, got null'],
    ['an upper-case name', { Web: { image: 'x' } }, 'got "Web"'],
    ['a name that ends in a hyphen', { 'web-': { image: 'x' } }, 'got "web-"'],
    ['a name of 64 characters', { ['a'.repeat(64)]: { image: 'x' } }, 'a service name is 1-63'],
  ])('%s', (_, services, expected) => {
    expect(problem({ services })).toContain(expected);
  });

  it('refuses anything beside "services" in a stack', () => {
    expect(problem({ services: { web: { image: 'x' } }, image: 'y' })).toBe('image: unknown field');
  });

  it('accepts the limits themselves', () => {
    const spec = service({
      ports: many(64, (n) => [`${n + 1}/tcp`, {}]),
      expose: Array.from({ length: 64 }, (_, n) => `${n + 1}`),
      env: many(256, (n) => [`V${n}`, '']),
      labels: many(128, (n) => [`l${n}`, '']),
      tmpfs: ['/a', '/b', '/tmp/c', '/run/d'],
      stop_grace_period: '120s',
    });
    expect([spec.ports.length, spec.expose.length, spec.env.size, spec.labels.size]).toEqual([
      64, 64, 256, 128,
    ]);
  });

  it('lets a stored manifest keep the host port that was allowed when it came', () => {
    const old = encoded({ image: 'nginx', ports: { '80/tcp': { host_port: 8080 } } });
    expect(parseStoredManifest(old).stack.services.get('app')?.ports[0]?.hostPort).toBe(8080);
  });
});

describe('dependencies', () => {
  const healthy = { image: 'x', health_check: { test: ['CMD', 'true'] } };
  const started = (...targets: string[]) => ({
    image: 'x',
    depends_on: Object.fromEntries(targets.map((target) => [target, { condition: 'service_started' }])),
  });
  const on = (condition: string) => ({ image: 'x', depends_on: { db: { condition } } });

  it.each<[string, object, string]>([
    ['an unknown target', { web: on('service_started') }, 'depends_on.db: there is no service of that name'],
    ['itself', { db: on('service_started') }, 'services.db.depends_on.db: a service cannot depend on itself'],
    [
      'health without a check',
      { web: on('service_healthy'), db: { image: 'x' } },
      'needs an active health_check on "db"',
    ],
    [
      'health that is switched off',
      { web: on('service_healthy'), db: { image: 'x', health_check: { test: ['NONE'] } } },
      'needs an active health_check',
    ],
    [
      'another condition',
      { web: on('service_completed_successfully'), db: healthy },
      'got "service_completed_successfully"',
    ],
    ['a cycle', { a: started('b'), b: started('c'), c: started('a') }, 'a cycle: a -> b -> c -> a'],
  ])('on %s are refused', (_, services, expected) => {
    expect(problem({ services })).toContain(expected);
  });

  it('of a flat manifest are refused', () => {
    expect(problem({ image: 'x', depends_on: { db: { condition: 'service_started' } } })).toContain(
      'only a stack',
    );
  });

  const chain = (edges: number) =>
    many(edges + 1, (n) => [`s${n}`, n === edges ? { image: 'x' } : started(`s${n + 1}`)]);

  it('may form a chain of 10, not of 11, and a very long one costs no stack', () => {
    expect(parse({ services: chain(10) }).stack.services.size).toBe(11);
    expect(problem({ services: chain(11) })).toContain('a chain of more than 10 dependencies');
    expect(problem({ services: chain(20_000) })).toContain('a chain of more than 10 dependencies');
  });

  it('give the order of starting', () => {
    const { stack } = parse({
      services: { web: started('db', 'cache'), db: { image: 'x' }, cache: started('db') },
    });
    expect(startOrder(stack.services)).toEqual(['db', 'cache', 'web']);
  });
});
