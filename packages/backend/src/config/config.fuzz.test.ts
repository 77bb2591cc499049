import { readFileSync } from 'node:fs';
import { type Environment, readYaml } from '@berth/service/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseCommandLine } from './command-line.ts';
import { configFrom } from './config.ts';
import { printedConfig } from './print.ts';
import { configSchema, largestDiskMb } from './schema.ts';
import { configWarnings } from './warnings.ts';

const secret = 'at-least-thirty-two-characters-long';
const minimal = {
  sku_profiles: { small: { cpu_cores: 0.5, memory_mb: 512 } },
  callback_secret: secret,
  host_address: '203.0.113.10',
};

const published = z.fromJSONSchema(
  JSON.parse(
    readFileSync(new URL('../../../../docs/reference/backend-settings.schema.json', import.meta.url), 'utf8'),
  ),
);

const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 512, 1024, 65536, 0.5),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const word = fc.oneof(
  fc.constantFrom(
    '',
    'small',
    'info',
    'xfs',
    '30s',
    '0s',
    '-1s',
    '2160h',
    'manifest.label:app',
    ':9001',
    '::1',
  ),
  fc.constantFrom('docker.io', '10.0.0.1', '/var/lib/x', 'a b', 'apps.example.net', '1.1.1.1:53', '1.1.1.1'),
  fc.string({ maxLength: 12 }),
);
const scalar = fc.oneof(number, word, fc.boolean(), fc.constant(null));
const profile = fc.record(
  { cpu_cores: number, memory_mb: number, disk_mb: number },
  { requiredKeys: ['cpu_cores', 'memory_mb'] },
);
const budget = fc.record(
  {
    max_retained_leases: number,
    max_retained_disk_mb: number,
    max_partitions: number,
    per_partition_max_leases: number,
    per_partition_max_disk_mb: number,
  },
  { requiredKeys: ['max_retained_leases'] },
);
const ingress = fc.record(
  {
    enabled: fc.boolean(),
    wildcard_domain: word,
    entrypoint: word,
    custom_domain_dns_resolvers: fc.array(word, { maxLength: 3 }),
    custom_domain_dns_quorum: number,
  },
  { requiredKeys: [] },
);
const value = fc.oneof(
  { arbitrary: scalar, weight: 6 },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(word, fc.oneof(scalar, profile, budget), { maxKeys: 3 }),
  ingress,
);
const keys = Object.values(configSchema.fields).map(({ key }) => key);

/** A key without a value counts as not written, which a schema would have to say of each of them. */
function written(content: unknown): unknown {
  if (Array.isArray(content)) return content.map(written);
  if (typeof content !== 'object' || content === null) return content;
  const entries = Object.entries(content).filter(([, one]) => one !== null);
  return Object.fromEntries(entries.map(([key, one]) => [key, written(one)]));
}

/** A good configuration, with some keys written over by anything. */
const document = fc
  .dictionary(fc.constantFrom(...keys), value, { maxKeys: 4 })
  .map((more) => ({ ...minimal, ...more }));

const variables = [
  'DOCKER_BACKEND_ADDR',
  'DOCKER_BACKEND_CALLBACK_SECRET',
  'DOCKER_BACKEND_HOST_ADDRESS',
  'DOCKER_HOST',
  'DOCKER_BACKEND_MAX_REQUEST_BODY_SIZE',
];
const environment: fc.Arbitrary<Environment> = fc.dictionary(fc.constantFrom(...variables), word, {
  maxKeys: 3,
});

describe('any configuration', () => {
  it('is either used, with every rule kept, or refused with the keys that are wrong', async () => {
    let used = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(document, environment, async (content, env) => {
        const reading = await readYaml(configSchema, JSON.stringify(content), { env });
        if (reading.values === undefined) {
          refused++;
          expect(reading.problems.length).toBeGreaterThan(0);
          for (const { key, text } of reading.problems) {
            const [first = ''] = key.split(/[.[]/);
            expect([...keys, ...variables], text).toContain(first);
            expect(text).not.toContain(secret);
          }
          return;
        }
        used++;
        const config = configFrom(reading);
        expect(config.total.cpuCores).toBeGreaterThan(0);
        expect(config.total.memoryMb).toBeGreaterThan(0);
        expect(config.callbackSecret.reveal().length).toBeGreaterThanOrEqual(32);
        expect(config.maxRequestBodySize).toBeGreaterThan(0);
        expect(config.containerStopTimeoutMs).toBeGreaterThan(0);
        expect(config.catalogue.profiles.size).toBeGreaterThan(0);
        for (const name of config.catalogue.mapping.values())
          expect(config.catalogue.profiles.has(name)).toBe(true);
        if (largestDiskMb(config) > 0) expect(config.volumeDataPath).not.toBe('');
        expect(config.productionMode && config.callbackInsecureSkipVerify).toBe(false);
        for (const warning of configWarnings(config)) expect(warning).not.toBe('');
        expect(printedConfig(reading.values, reading.given)).not.toContain(config.callbackSecret.reveal());
      }),
      { numRuns: 300 },
    );
    expect(used).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  }, 30_000);

  it('that is used agrees with the published JSON Schema', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (content) => {
        const { values } = await readYaml(configSchema, JSON.stringify(content));
        if (values === undefined) return;
        expect(published.safeParse(written(content)).error, JSON.stringify(content)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  it('may be any text at all: it is read or refused, and nothing breaks', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            'name:',
            ' x',
            '\n',
            '- ',
            '{',
            '}',
            '[',
            ']',
            '&a',
            '*a',
            '|',
            '"',
            '<<: ',
            '!!int ',
            '#',
          ),
          {
            maxLength: 30,
          },
        )
        .map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (yaml) => {
        const { values, problems } = await readYaml(configSchema, yaml);
        expect(values).toBeUndefined();
        expect(problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  }, 30_000);
});

describe('any command line', () => {
  it('is understood, or its first mistake is named', () => {
    const argument = fc.oneof(
      fc.constantFrom(
        '-config',
        '--config',
        '-config=x',
        '-version',
        '-h',
        'config',
        'check',
        'print',
        '-',
        '--',
        '=',
        '',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 5 }), (argv) => {
        const command = parseCommandLine(argv);
        if (command.kind === 'mistake')
          expect(command.problem).toMatch(/^(unknown (flag|command): |flag needs)/);
        if ('configFile' in command) expect(command.configFile).not.toBe('');
      }),
    );
  });
});
