import { duration } from './duration.ts';
import {
  type Decoded,
  documented,
  flag,
  integer,
  listOf,
  mapOf,
  objectOf,
  orNothing,
  text,
} from './shape.ts';

/** How many entries a service may have of each kind. */
export const counts = { ports: 64, expose: 64, env: 256, labels: 128, tmpfs: 4 } as const;

export const patterns = {
  serviceName: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  port: /^[0-9]{1,5}\/([Tt][Cc][Pp]|[Uu][Dd][Pp])$/,
  expose: /^[0-9]{1,5}$/,
  labelKey: /^(?!fred\.|traefik\.)/i,
  user: /^[^\s:]+(:[^\s:]+)?$/,
} as const;

const conditions = ['service_started', 'service_healthy'] as const;

/** JSON Schema knows no flags: letter case is written out. */
const envNameSource =
  '^(?![Pp][Aa][Tt][Hh]$)(?![Ll][Dd]_|[Ff][Rr][Ee][Dd]_|[Dd][Oo][Cc][Kk][Ee][Rr]_)[^=\\u0000]+$';
const labelKeySource = '^(?![Ff][Rr][Ee][Dd]\\.|[Tt][Rr][Aa][Ee][Ff][Ii][Kk]\\.)';

const portConfig = objectOf({
  host_port: documented(integer, {
    const: 0,
    description: 'Fixed host ports are refused; the engine chooses one.',
  }),
  ingress: documented(flag, {
    description: 'This port is behind the public host name. TCP only, one a service.',
  }),
});

const healthCheck = objectOf(
  {
    test: documented(listOf(text), {
      anyOf: [
        { items: false, prefixItems: [{ const: 'NONE' }], minItems: 1 },
        { prefixItems: [{ enum: ['CMD', 'CMD-SHELL'] }], minItems: 2 },
      ],
    }),
    interval: duration,
    timeout: duration,
    retries: documented(integer, { minimum: 0 }),
    start_period: duration,
  },
  ['test'],
);

const dependency = objectOf({ condition: documented(text, { enum: conditions }) }, ['condition']);

/** One service as a tenant writes it. The types are checked here, the rules in `rules.ts`; both come from one table. */
export const writtenService = objectOf(
  {
    image: documented(text, { minLength: 1 }),
    ports: documented(mapOf(orNothing(portConfig, {})), {
      maxProperties: counts.ports,
      propertyNames: { pattern: patterns.port.source },
    }),
    env: documented(mapOf(text), {
      maxProperties: counts.env,
      propertyNames: { pattern: envNameSource },
    }),
    command: listOf(text),
    args: listOf(text),
    labels: documented(mapOf(text), {
      maxProperties: counts.labels,
      propertyNames: { pattern: labelKeySource },
    }),
    health_check: healthCheck,
    tmpfs: documented(listOf(documented(text, { pattern: '^/' })), { maxItems: counts.tmpfs }),
    user: documented(text, { pattern: patterns.user.source }),
    depends_on: mapOf(dependency),
    stop_grace_period: documented(duration, { description: '1s to 120s, or an integer of nanoseconds.' }),
    init: flag,
    expose: documented(listOf(documented(text, { pattern: patterns.expose.source })), {
      maxItems: counts.expose,
      uniqueItems: true,
    }),
  },
  ['image'],
);

export type WrittenService = Decoded<typeof writtenService>;

export const writtenStack = objectOf(
  {
    services: documented(mapOf(writtenService), {
      minProperties: 1,
      propertyNames: { pattern: patterns.serviceName.source, maxLength: 63 },
    }),
  },
  ['services'],
);

export const dependencyConditions: ReadonlySet<string> = new Set(conditions);
