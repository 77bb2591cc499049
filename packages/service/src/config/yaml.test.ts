import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { serviceErrors } from '../service-errors.ts';
import {
  boolean,
  configOf,
  decimal,
  duration,
  integer,
  list,
  object,
  oneOf,
  optional,
  readYaml,
  readYamlFile,
  record,
  required,
  schema,
  secret,
  section,
  shownSettings,
  text,
  type YamlOptions,
} from './index.ts';
import type { SourceNode } from './source.ts';
import { parseYaml } from './yaml-source.ts';

/** A schema with one key of each sort, in the words of a real one. */
const backend = schema({
  title: 'Backend',
  about: 'Settings of a test.',
  fields: {
    logLevel: optional('log_level', oneOf(['debug', 'info', 'warn', 'error'], { anyCase: true }), {
      default: 'info',
      about: 'How much is said.',
    }),
    name: optional('name', text({ minLength: 1 }), { default: 'docker', about: 'Our name.' }),
    bodyBytes: optional('max_request_body_size', integer(), {
      default: 2_097_152,
      about: 'The largest request.',
      env: { variable: 'BACKEND_MAX_BODY', skipInvalid: true },
      check: (bytes) => (bytes > 0 ? undefined : 'must be above 0'),
    }),
    listen: optional('listen_addr', text({ minLength: 1 }), {
      default: ':9001',
      about: 'Where to listen.',
      env: { variable: 'BACKEND_ADDR' },
    }),
    cores: optional('total_cpu_cores', decimal({ above: 0 }), { default: 8, about: 'All cores.' }),
    diskMb: optional('total_disk_mb', integer({ min: 1 }), { default: 102_400, about: 'All disk.' }),
    retainedMb: optional('max_retained_disk_mb', integer({ min: 0 }), {
      default: 0,
      about: 'Retained disk.',
    }),
    profiles: required(
      'sku_profiles',
      record(
        object({
          fields: {
            cores: required('cpu_cores', decimal({ above: 0 }), { about: 'Cores.' }),
            memoryMb: required('memory_mb', integer({ min: 1 }), { about: 'Memory.' }),
          },
        }),
        { minEntries: 1 },
      ),
      { about: 'The sizes on offer.', missing: 'must have at least one entry' },
    ),
    registries: optional('allowed_registries', list(text(), { minItems: 1 }), {
      default: ['docker.io', 'ghcr.io'],
      about: 'Where images may come from.',
    }),
    secret: required('callback_secret', secret({ minLength: 8 }), {
      about: 'Signs.',
      env: { variable: 'BACKEND_SECRET' },
    }),
    reconcileMs: optional('reconcile_interval', duration({ range: 'positive', bareSeconds: false }), {
      default: 300_000,
      about: 'How often.',
    }),
    maxAgeMs: optional('retention_max_age', duration({ range: 'non-negative', bareSeconds: false }), {
      default: 0,
      about: 'How long.',
    }),
    isolation: optional('network_isolation', boolean(), { default: true, about: 'Isolate.' }),
    ingress: section(
      'ingress',
      {
        fields: {
          enabled: optional('enabled', boolean(), { default: false, about: 'On.' }),
          domain: optional('wildcard_domain', text(), { default: '', about: 'Domain.' }),
        },
        rules: (rule) => [
          rule('domain', ['enabled'], ({ enabled, domain }) =>
            enabled && domain === '' ? 'is required when ingress is enabled' : undefined,
          ),
        ],
      },
      'Names for the outside.',
    ),
  },
  rules: (rule) => [
    rule('retainedMb', ['diskMb'], ({ retainedMb, diskMb }) =>
      retainedMb > diskMb ? 'must not exceed total_disk_mb' : undefined,
    ),
    rule('ingress', ['isolation'], ({ ingress, isolation }) =>
      ingress.enabled && !isolation ? 'needs network_isolation' : undefined,
    ),
  ],
  ignored: { container_engine: 'gone since 0.9' },
});

/** The tree as the values that it stands for. */
function plain(node: SourceNode): unknown {
  if (node.type === 'list') return node.items.map(plain);
  if (node.type === 'map')
    return Object.fromEntries(Array.from(node.entries, ([key, value]) => [key, plain(value)]));
  return node.value;
}

const least = 'sku_profiles: {small: {cpu_cores: 0.5, memory_mb: 512}}\ncallback_secret: long-enough\n';
const values = async (yaml: string, options?: YamlOptions) => {
  const [config] = configOf(await readYaml(backend, yaml, options));
  return config;
};
const problems = async (yaml: string, options?: YamlOptions) => {
  const reading = await readYaml(backend, yaml, options);
  return reading.problems.map(({ text: sentence, place }) =>
    place ? `${place.line}:${place.column} ${sentence}` : sentence,
  );
};

describe('a YAML file', () => {
  it('is read over the defaults', async () => {
    const config = await values(
      `${least}total_disk_mb: 2048\nallowed_registries: [ghcr.io]\nretention_max_age: 36h\n`,
    );
    expect(config).toMatchObject({
      logLevel: 'info',
      name: 'docker',
      diskMb: 2048,
      registries: ['ghcr.io'],
      maxAgeMs: 129_600_000,
      ingress: { enabled: false, domain: '' },
    });
    expect(config.profiles).toEqual(new Map([['small', { cores: 0.5, memoryMb: 512 }]]));
    expect(config.secret.reveal()).toBe('long-enough');
  });

  it('gives all that is wrong at once, each with its place, in the order of the schema', async () => {
    const yaml = [
      'reconcile_interval: 5',
      'name: ""',
      'sku_profiles:',
      '  small: {cpu_cores: 0, memory_mb: 1.5, extra: 1}',
      'total_disk_mb: 100',
      'max_retained_disk_mb: 200',
      'network_isolation: maybe',
      'callback_secret: short',
      'allowed_registries: []',
      'ingress:',
      '  enabled: true',
    ].join('\n');
    expect(await problems(yaml)).toEqual([
      '2:7 name must not be empty',
      '6:23 max_retained_disk_mb must not exceed total_disk_mb',
      '4:22 sku_profiles.small.cpu_cores must be above 0',
      '4:36 invalid sku_profiles.small.memory_mb: must be a whole number, not the number 1.5',
      '9:21 allowed_registries must have at least one entry',
      '8:18 callback_secret must have at least 8 characters',
      expect.stringMatching(
        /^1:21 invalid reconcile_interval: "5" is not a duration like 90s or 1h30m: the unit is missing/,
      ),
      '7:20 invalid network_isolation="maybe": must be true/false (or 1/0)',
      'ingress.wildcard_domain is required when ingress is enabled',
    ]);
  });

  it('that lacks what is required says so', async () => {
    expect(await problems('')).toEqual([
      'sku_profiles must have at least one entry',
      'callback_secret must be set',
    ]);
  });

  it('keeps text as it was written: digits, leading zeros, words that look like something else', async () => {
    const config = await values(
      `${least.replace('long-enough', '0123456789012345678901')}name: 007\nlisten_addr: true\n`,
    );
    expect(config.secret.reveal()).toBe('0123456789012345678901');
    expect(config.name).toBe('007');
    expect(config.listen).toBe('true');
  });

  it.each(['yes', 'on', 'y', 'True', '1', '"true"'])('takes %s for true', async (word) => {
    expect((await values(`${least}network_isolation: ${word}\n`)).isolation).toBe(true);
  });

  it.each(['no', 'off', 'n', 'FALSE', '0'])('takes %s for false', async (word) => {
    expect((await values(`${least}network_isolation: ${word}\n`)).isolation).toBe(false);
  });

  it.each([
    ['1_000', 1000],
    ['0x400', 1024],
    ['1e3', 1000],
    ['"77"', 77],
    ['2048.0', 2048],
  ])('reads the whole number %s', async (written, expected) => {
    expect((await values(`${least}total_disk_mb: ${written}\n`)).diskMb).toBe(expected);
  });

  it.each([
    '99999999999999999999',
    '1.5',
    'many',
    '[1]',
    '.inf',
    '-1',
    'true',
  ])('refuses %s for a whole number', async (written) => {
    expect(await problems(`${least}total_disk_mb: ${written}\n`)).toHaveLength(1);
  });

  it('takes a bare zero for no time, and other bare numbers for an error where they are no seconds', async () => {
    expect((await values(`${least}retention_max_age: 0\n`)).maxAgeMs).toBe(0);
    expect(await problems(`${least}retention_max_age: 90\n`)).toHaveLength(1);
  });

  it('takes a key with nothing behind it for unset', async () => {
    expect((await values(`${least}name:\nallowed_registries:\n`)).name).toBe('docker');
  });

  it('notes unknown keys and what was probably meant, and refuses them only when told to', async () => {
    const yaml = `${least}reconcile_intervall: 1m\nfavourite_colour: red\ncontainer_engine: x\ningress: {enable: true}\n`;
    const reading = await readYaml(backend, yaml);
    expect(reading.problems).toEqual([]);
    expect(reading.unknown).toEqual([
      { key: 'reconcile_intervall', meant: 'reconcile_interval', place: { line: 3, column: 1 } },
      { key: 'favourite_colour', place: { line: 4, column: 1 } },
      { key: 'ingress.enable', meant: 'ingress.enabled', place: { line: 6, column: 11 } },
    ]);
    expect(await problems(yaml, { unknownKeys: 'refuse' })).toEqual([
      '3:1 reconcile_intervall is no known key (did you mean reconcile_interval?)',
      '4:1 favourite_colour is no known key',
      '6:11 ingress.enable is no known key (did you mean ingress.enabled?)',
    ]);
  });

  it('lets variables beat its keys when they are not empty', async () => {
    const env = { BACKEND_ADDR: ':1', BACKEND_SECRET: '', BACKEND_MAX_BODY: '-5' };
    const config = await values(`${least}listen_addr: ":2"\nmax_request_body_size: 77\n`, { env });
    expect(config).toMatchObject({ listen: ':1', bodyBytes: 77 });
    expect(config.secret.reveal()).toBe('long-enough');
    expect((await values(least, { env: { BACKEND_MAX_BODY: '4096' } })).bodyBytes).toBe(4096);
  });

  it('names the variable when that is what is wrong', async () => {
    expect(await problems(least, { env: { BACKEND_SECRET: 'short' } })).toEqual([
      'BACKEND_SECRET must have at least 8 characters',
    ]);
  });

  it('fills in aliases and merges', async () => {
    const yaml =
      'base: &b {cpu_cores: 1, memory_mb: 1}\nsku_profiles:\n  a: *b\n  c: {<<: *b, memory_mb: 2}\ncallback_secret: long-enough\n';
    expect([...(await values(yaml)).profiles]).toEqual([
      ['a', { cores: 1, memoryMb: 1 }],
      ['c', { cores: 1, memoryMb: 2 }],
    ]);
  });

  it('takes an alias for the anchor that came last before it', async () => {
    const tree = await parseYaml('a: &x {k: &y 1}\nb: &y 2\nc: *x\nd: *y\n');
    expect('type' in tree && plain(tree)).toEqual({ a: { k: 1 }, b: 2, c: { k: 1 }, d: 2 });
  });

  it.each([
    ['a: [1', /1:|2:/],
    ['name: a\nname: b', /^2:1 "name" is in this mapping already/],
    ['sku_profiles: {a: {cpu_cores: 1, cpu_cores: 2}}', /^1:34 "cpu_cores" is in this mapping already/],
    ['a: 1\n---\nb: 2', /^2:1 a second document begins here/],
    ['name: *nobody', /^1:7 /],
    ['name: !custom x', /^1:7 /],
    ['name: !!binary aGk=', /^1:16 nothing here is written as tag:yaml.org,2002:binary/],
    ['name: "a\\0b"', /^1:7 name must not have a NUL character in it/],
    ['- a', /^1:1 the configuration must be a mapping, not a list/],
    ['? [a]\n: b', /a key has to be a plain word/],
  ])('that is no proper YAML is refused with the place: %j', async (yaml, expected) => {
    expect((await problems(yaml))[0]).toMatch(expected);
  });

  it('does not blow up: aliases that multiply or lead back, and depth, end in an error', async () => {
    const bomb = [
      'a0: &a0 [x]',
      ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`),
    ].join('\n');
    expect(await problems(bomb)).toEqual([expect.stringContaining('too large or too deep')]);
    expect(await problems('a: &a [*a]')).toHaveLength(1);
    expect(await problems(`a: ${'['.repeat(500)}${']'.repeat(500)}`)).toHaveLength(1);
    const merges = Array.from({ length: 9 }, (_, n) => `c${n}: &c${n} {<<: [${'*x, '.repeat(9)}*x]}`);
    const merged = merges.map((line, n) => (n === 0 ? line : line.replaceAll('*x', `*c${n - 1}`)));
    expect(await problems(`x: &x {k: 1}\n${merged.join('\n')}`)).toEqual([
      expect.stringContaining('too large or too deep'),
    ]);
    for (const deep of ['[', '{a: ', '- '])
      expect(await problems(`a:\n  ${deep.repeat(20_000)}`)).toEqual([
        expect.stringContaining('too large or too deep'),
      ]);
  });

  it('may have many keys: the time goes with their number, not with its square', async () => {
    const lines = Array.from({ length: 45_000 }, (_, n) => `k${n}: 1`).join('\n');
    const { problems: found, unknown } = await readYaml(backend, `${least}${lines}\n`);
    expect([found.length, unknown.length]).toEqual([0, 45_000]);
  });

  it.each([
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    'x'.repeat(1000),
  ])('with the key %s is told that nobody knows it', async (key) => {
    const { unknown } = await readYaml(backend, `${least}${key}: x\n`);
    expect(unknown.map((one) => one.key)).toEqual([key]);
  });

  it('quotes of a long value only the beginning', async () => {
    const long = 'z'.repeat(100_000);
    for (const yaml of [`log_level: ${long}`, `total_disk_mb: ${long}`, `sku_profiles: ${long}`, long])
      for (const text of await problems(`${yaml}`)) expect(text.length).toBeLessThan(300);
  });

  it('is read as the parser reads it, whatever the values are', async () => {
    const document = fc.dictionary(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const styles = fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'BLOCK_LITERAL');
    await fc.assert(
      fc.asyncProperty(document, styles, async (value, style) => {
        const written = stringify(value, { defaultStringType: style, aliasDuplicateObjects: true });
        const tree = await parseYaml(written);
        if (!('type' in tree)) throw new Error(tree.map((problem) => problem.text).join());
        expect(plain(tree)).toEqual(parse(written, { merge: true }));
      }),
    );
  });

  it('never throws, whatever the text', async () => {
    const piece = fc.constantFrom(
      'name',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      '{',
      '}',
      '&a',
      '*a',
      '!!str ',
      '|',
      '"',
      "'",
      '<<',
      '#',
      '\t',
      '?',
      '\u0000',
      '1',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (parts) => {
        const reading = await readYaml(backend, parts.join(''));
        expect(reading.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it('can be shown, without its secrets', async () => {
    const { values: config, given } = await readYaml(backend, least);
    const shown = shownSettings(backend, config!, given);
    expect(shown).toContainEqual({ key: 'callback_secret', value: '***', isDefault: false });
    expect(shown).toContainEqual({
      key: 'sku_profiles',
      value: '{small: {cpu_cores: 0.5, memory_mb: 512}}',
      isDefault: false,
    });
    expect(JSON.stringify(shown)).not.toContain('long-enough');
  });
});

describe('a YAML file on disk', () => {
  it('puts its name before every problem', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-config-'));
    const file = join(folder, 'backend.yaml');
    await writeFile(file, `${least}name: ""\n`);
    const { problems: found } = await readYamlFile(backend, file);
    expect(found.map((problem) => problem.text)).toEqual([`${file}:3:7: name must not be empty`]);
    await rm(folder, { recursive: true });
  });

  it('that is missing, a folder, too large or no UTF-8 is an error with its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-config-'));
    const large = join(folder, 'large.yaml');
    await writeFile(large, '#'.repeat(2 * 1024 * 1024));
    const latin = join(folder, 'latin.yaml');
    await writeFile(latin, Buffer.from(`${least}name: caf\u00e9\n`, 'latin1'));
    for (const file of ['/nowhere/backend.yaml', folder, large, latin]) {
      const reading = readYamlFile(backend, file);
      await expect(reading).rejects.toSatisfy((error) => serviceErrors.is(error, 'CONFIG_UNREADABLE'));
      await expect(reading).rejects.toThrow(file);
    }
    await rm(folder, { recursive: true });
  });
});
