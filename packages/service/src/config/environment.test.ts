import { describe, expect, it } from 'vitest';
import {
  boolean,
  configOf,
  duration,
  type Environment,
  ipList,
  oneOf,
  optional,
  readEnvironment,
  required,
  schema,
  secret,
  shownSettings,
  stringMap,
  text,
} from './index.ts';

/** A schema with one variable of each sort, in the words of a real one. */
const anchor = schema({
  title: 'Anchor',
  about: 'Settings of a test.',
  fields: {
    project: optional('ANCHORD_PROJECT', text(), { about: 'The project.' }),
    selector: optional('ANCHORD_LABEL_SELECTOR', text(), { about: 'Instead of the project.' }),
    pollIntervalMs: optional('ANCHORD_POLL_INTERVAL', duration({ range: 'positive' }), {
      default: 30_000,
      about: 'How often to look.',
    }),
    backoffMs: optional('ANCHORD_FOLLOW_EVENT_BACKOFF', duration({ range: 'non-negative' }), {
      default: 2_000,
      about: 'Grace.',
    }),
    autostart: optional('ANCHORD_AUTOSTART_SIBLINGS', boolean(), { default: true, about: 'Start siblings.' }),
    addressMode: optional('ANCHORD_ADDRESS_MODE', oneOf(['bootstrap', 'dhcp-refresh', 'slaac-ra-only']), {
      default: 'bootstrap',
      about: 'Where addresses come from.',
    }),
    target: optional('ANCHORD_MANAGED_SA_TARGET', text({ trim: true }), { about: 'The target.' }),
    labels: optional('ANCHORD_MANAGED_SA_LABELS', stringMap(), {
      default: new Map<string, string>(),
      about: 'Labels.',
      check: (labels) => (labels.has('anchord.managed-by') ? '"anchord.managed-by" is reserved' : undefined),
      rephrase: (sentence) => sentence.replace('LABELS "', 'LABELS: "'),
    }),
    gateway: optional('ANCHORD_GATEWAY_IP', ipList(), { default: {}, about: 'Gateways.' }),
    metricsAddress: optional('ANCHORD_METRICS_ADDR', text(), {
      default: '127.0.0.1:9090',
      whenEmpty: null,
      about: 'Where to listen.',
    }),
    token: optional('ANCHORD_TOKEN', secret(), { about: 'A secret.' }),
  },
  rules: (rule) => [
    rule('project', ['selector'], ({ project, selector }) =>
      project === undefined && selector === undefined
        ? '(or COMPOSE_PROJECT_NAME) must be set unless ANCHORD_LABEL_SELECTOR is'
        : undefined,
    ),
  ],
});

const read = (env: Environment) => readEnvironment(anchor, { ANCHORD_PROJECT: 'mail', ...env });
const problems = (env: Environment): readonly string[] => read(env).problems.map((problem) => problem.text);
const values = (env: Environment) => {
  const [config] = configOf(read(env));
  return config;
};

describe('an environment', () => {
  it('that says nothing gives the defaults', () => {
    expect(values({})).toEqual({
      project: 'mail',
      selector: undefined,
      pollIntervalMs: 30_000,
      backoffMs: 2_000,
      autostart: true,
      addressMode: 'bootstrap',
      target: undefined,
      labels: new Map(),
      gateway: {},
      metricsAddress: '127.0.0.1:9090',
      token: undefined,
    });
  });

  it('gives all that is wrong at once, in the order of the schema', () => {
    expect(
      problems({
        ANCHORD_GATEWAY_IP: 'nope',
        ANCHORD_POLL_INTERVAL: '0',
        ANCHORD_PROJECT: '',
        ANCHORD_ADDRESS_MODE: 'Bootstrap',
        ANCHORD_AUTOSTART_SIBLINGS: 'yes',
      }),
    ).toEqual([
      'ANCHORD_PROJECT (or COMPOSE_PROJECT_NAME) must be set unless ANCHORD_LABEL_SELECTOR is',
      'ANCHORD_POLL_INTERVAL must be positive',
      'invalid ANCHORD_AUTOSTART_SIBLINGS="yes": must be true/false (or 1/0)',
      'invalid ANCHORD_ADDRESS_MODE "Bootstrap" (want "bootstrap", "dhcp-refresh", or "slaac-ra-only")',
      'ANCHORD_GATEWAY_IP="nope" is not a valid IP',
    ]);
  });

  it('becomes one error that carries every problem', () => {
    expect(() => configOf(read({ ANCHORD_POLL_INTERVAL: 'x', ANCHORD_GATEWAY_IP: 'y' }))).toThrow(
      /^config: invalid ANCHORD_POLL_INTERVAL: .*; ANCHORD_GATEWAY_IP="y" is not a valid IP$/,
    );
  });

  it('takes strings as they are, trimmed only where the schema says so, empty ones for unset', () => {
    expect(values({ ANCHORD_PROJECT: ' a ', ANCHORD_MANAGED_SA_TARGET: ' b ' })).toMatchObject({
      project: ' a ',
      target: 'b',
    });
    expect(values({ ANCHORD_MANAGED_SA_TARGET: ' \t', ANCHORD_LABEL_SELECTOR: '' })).toMatchObject({
      target: undefined,
      selector: undefined,
    });
  });

  it('tells unset from empty where that makes a difference', () => {
    expect(values({ ANCHORD_METRICS_ADDR: '' }).metricsAddress).toBeNull();
    expect(values({ ANCHORD_METRICS_ADDR: ':9090' }).metricsAddress).toBe(':9090');
  });

  it.each([
    ['45', 45_000],
    ['1h30m', 5_400_000],
    ['1.5m', 90_000],
    ['', 30_000],
  ])('reads the duration %j', (raw, expected) => {
    expect(values({ ANCHORD_POLL_INTERVAL: raw }).pollIntervalMs).toBe(expected);
  });

  it.each([' 5s', '5s ', '5 s', '1d', 'soon', '9999999999999'])('refuses the duration %j', (raw) => {
    expect(problems({ ANCHORD_POLL_INTERVAL: raw })).toEqual([
      expect.stringMatching(/^invalid ANCHORD_POLL_INTERVAL: /),
    ]);
  });

  it('allows no time at all where the schema does, and never a negative span there', () => {
    expect(values({ ANCHORD_FOLLOW_EVENT_BACKOFF: '0' }).backoffMs).toBe(0);
    expect(problems({ ANCHORD_FOLLOW_EVENT_BACKOFF: '-1s' })).toEqual([
      'ANCHORD_FOLLOW_EVENT_BACKOFF must be non-negative',
    ]);
  });

  it.each(['1', 't', 'T', 'TRUE', 'true', 'True', ' true '])('takes %j for true', (raw) => {
    expect(values({ ANCHORD_AUTOSTART_SIBLINGS: raw }).autostart).toBe(true);
  });

  it.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('takes %j for false', (raw) => {
    expect(values({ ANCHORD_AUTOSTART_SIBLINGS: raw }).autostart).toBe(false);
  });

  it.each(['yes', 'no', 'on', 'off', 'tRUE', '2', 'y'])('takes %j for no boolean', (raw) => {
    expect(problems({ ANCHORD_AUTOSTART_SIBLINGS: raw })).toEqual([
      `invalid ANCHORD_AUTOSTART_SIBLINGS="${raw}": must be true/false (or 1/0)`,
    ]);
  });

  it('reads a map of strings, with null for empty, the last of two, and no surprise in its names', () => {
    const raw = '{"a":"1","a":"2","none":null,"__proto__":"x"}';
    expect([...values({ ANCHORD_MANAGED_SA_LABELS: raw }).labels]).toEqual([
      ['a', '2'],
      ['none', ''],
      ['__proto__', 'x'],
    ]);
    expect(values({ ANCHORD_MANAGED_SA_LABELS: 'null' }).labels.size).toBe(0);
    expect(values({ ANCHORD_MANAGED_SA_LABELS: '  ' }).labels.size).toBe(0);
  });

  it.each([
    ['[1]', 'an array'],
    ['"x"', 'a string'],
    ['{"a":1}', 'a number for "a"'],
    ['{"a":{}}', 'a object for "a"'],
    ['{a:1}', 'a text that is not JSON'],
  ])('refuses %s for a map of strings', (raw, got) => {
    expect(problems({ ANCHORD_MANAGED_SA_LABELS: raw })).toEqual([
      `invalid ANCHORD_MANAGED_SA_LABELS: must be a JSON object of string->string, got ${got}`,
    ]);
  });

  it('lets a field put its complaint into words of its own', () => {
    expect(problems({ ANCHORD_MANAGED_SA_LABELS: '{"anchord.managed-by":"me"}' })).toEqual([
      'ANCHORD_MANAGED_SA_LABELS: "anchord.managed-by" is reserved',
    ]);
  });

  it.each([
    ['192.0.2.1', { v4: '192.0.2.1' }],
    [' 2001:DB8::0:1 , 192.0.2.1,', { v4: '192.0.2.1', v6: '2001:db8::1' }],
    ['::ffff:192.0.2.7', { v4: '192.0.2.7' }],
    [' , ', {}],
  ])('reads the addresses %j', (raw, expected) => {
    expect(values({ ANCHORD_GATEWAY_IP: raw }).gateway).toEqual(expected);
  });

  it.each([
    ['192.0.2.1,192.0.2.2', 'ANCHORD_GATEWAY_IP lists more than one IPv4 address'],
    ['192.0.2.1,::ffff:192.0.2.7', 'ANCHORD_GATEWAY_IP lists more than one IPv4 address'],
    ['::1,::2', 'ANCHORD_GATEWAY_IP lists more than one IPv6 address'],
    ['fe80::1%eth0', 'ANCHORD_GATEWAY_IP="fe80::1%eth0" is not a valid IP'],
    ['192.0.2.01', 'ANCHORD_GATEWAY_IP="192.0.2.01" is not a valid IP'],
    ['192.0.2.0/24', 'ANCHORD_GATEWAY_IP="192.0.2.0/24" is not a valid IP'],
  ])('refuses the addresses %j', (raw, expected) => {
    expect(problems({ ANCHORD_GATEWAY_IP: raw })).toEqual([expected]);
  });

  it('remembers what was given, for the warnings about things that exclude each other', () => {
    const { given } = read({
      ANCHORD_POLL_INTERVAL: '',
      ANCHORD_AUTOSTART_SIBLINGS: 'true',
      ANCHORD_METRICS_ADDR: '',
    });
    expect([...given]).toEqual(['project', 'autostart', 'metricsAddress']);
  });

  it('names a variable that has to be there', () => {
    const follow = schema({
      title: 'Rebinder',
      about: 'Settings of a test.',
      fields: {
        network: required('ANCHORD_FOLLOW_NETWORK', text({ trim: true }), {
          about: 'Which network.',
          missing: 'must be set in external-rebinder mode',
        }),
      },
    });
    const texts = (env: Environment) => readEnvironment(follow, env).problems.map((problem) => problem.text);
    expect(texts({})).toEqual(['ANCHORD_FOLLOW_NETWORK must be set in external-rebinder mode']);
    expect(texts({ ANCHORD_FOLLOW_NETWORK: '  ' })).toHaveLength(1);
  });

  it('can be shown, without its secrets', () => {
    const { values: config, given } = read({ ANCHORD_TOKEN: 'hunter2', ANCHORD_GATEWAY_IP: '192.0.2.1' });
    const shown = shownSettings(anchor, config!, given);
    expect(shown).toContainEqual({ key: 'ANCHORD_TOKEN', value: '***', isDefault: false });
    expect(shown).toContainEqual({ key: 'ANCHORD_POLL_INTERVAL', value: '30s', isDefault: true });
    expect(shown).toContainEqual({ key: 'ANCHORD_GATEWAY_IP', value: '192.0.2.1', isDefault: false });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(JSON.stringify(config)).not.toContain('hunter2');
  });
});
