/** Arbitrary manifests for property tests: as a tenant writes them, valid unless said otherwise. */
import fc from 'fast-check';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const durationText = fc.oneof(
  fc.integer({ min: 0, max: 3600 }).map((seconds) => `${seconds}s`),
  fc.integer({ min: 1, max: 90 }).map((minutes) => `${minutes}m30s`),
  fc.integer({ min: 0, max: 1e12 }),
);
const port = fc.integer({ min: 1, max: 65535 });

/** Ports with different numbers, so that no two spellings can mean the same one. */
const ports = fc
  .tuple(
    fc.uniqueArray(port, { maxLength: 6 }),
    fc.nat(8),
    fc.array(fc.constantFrom('tcp', 'udp', 'TCP', 'Udp')),
  )
  .map(([numbers, ingressAt, protocols]) =>
    Object.fromEntries(
      numbers.map((number, index) => {
        const protocol = protocols[index] ?? 'tcp';
        const ingress = index === ingressAt && protocol.toLowerCase() === 'tcp';
        return [`${number}/${protocol}`, ingress ? { ingress } : {}];
      }),
    ),
  );

const healthCheck = fc.record(
  {
    test: fc.oneof(
      fc.constant(['NONE']),
      fc.array(fc.string(), { minLength: 1, maxLength: 3 }).map((argv) => ['CMD', ...argv]),
      fc.string().map((line) => ['CMD-SHELL', line]),
    ),
    interval: durationText,
    timeout: durationText,
    retries: fc.nat(20),
    start_period: durationText,
  },
  { requiredKeys: ['test'] },
);

const dictionary = (prefix: string) =>
  fc.dictionary(
    fc.string({ maxLength: 10 }).map((tail) => prefix + tail.replaceAll('=', '_').replaceAll('\0', '_')),
    fc.string(),
    { maxKeys: 6 },
  );

const service = fc.record(
  {
    image: fc.constantFrom('nginx', 'ghcr.io/acme/web:2.1', 'redis:7'),
    ports,
    env: dictionary('V'),
    command: fc.array(fc.string(), { maxLength: 3 }),
    args: fc.array(fc.string(), { maxLength: 3 }),
    labels: dictionary('app.'),
    health_check: healthCheck,
    tmpfs: fc.uniqueArray(fc.constantFrom('/cache', '/var/tmp/', '/tmp/a', '/run//x', '/srv/../w'), {
      maxLength: 4,
    }),
    user: fc.constantFrom('1000', '1000:1000', 'web', 'web:www-data'),
    stop_grace_period: fc.constantFrom('1s', '20s', '1m30s', '120s', 5_000_000_000),
    init: fc.boolean(),
    expose: fc.uniqueArray(port, { maxLength: 4 }).map((numbers) => numbers.map(String)),
  },
  { requiredKeys: ['image'] },
);

export const flatManifest = service;

/** Services depend only on ones that come before them, and on health only where there is a check. */
export const stackManifest = fc
  .tuple(fc.dictionary(name, service, { minKeys: 1, maxKeys: 5 }), fc.infiniteStream(fc.nat(3)))
  .map(([services, choices]) => {
    const names = Object.keys(services).sort();
    const entries = names.map((one, index) => {
      const dependencies = names.slice(0, index).flatMap((target) => {
        const choice = choices.next().value;
        const active =
          services[target]?.health_check !== undefined && services[target].health_check.test[0] !== 'NONE';
        if (choice === 1) return [[target, { condition: 'service_started' }]];
        return choice === 2 && active ? [[target, { condition: 'service_healthy' }]] : [];
      });
      return [
        one,
        {
          ...services[one],
          ...(dependencies.length > 0 && { depends_on: Object.fromEntries(dependencies) }),
        },
      ];
    });
    return { services: Object.fromEntries(entries) };
  });

export const encoded = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));
