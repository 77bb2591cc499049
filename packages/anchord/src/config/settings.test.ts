import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsOfModes } from './modes.ts';
import { configurationFingerprint, networkAnchorSettings, serviceAnchorSettings } from './settings.ts';

type Env = Readonly<Record<string, string>>;
const anchor = (env: Env = {}) => networkAnchorSettings({ ANCHORD_PROJECT: 'mail', ...env });
const service = (env: Env = {}) => serviceAnchorSettings(env);

describe('network-anchor settings', () => {
  it('have their defaults', () => {
    expect(anchor()).toEqual({
      logLevel: 'info',
      metricsAddress: '127.0.0.1:9090',
      dockerHost: 'unix:///var/run/docker.sock',
      project: 'mail',
      scope: { bySelector: false, discriminator: [{ key: 'com.docker.compose.project', value: 'mail' }] },
      external: { kind: 'interface', name: 'eth0' },
      addressMode: 'bootstrap',
      gatewayPin: { v4: undefined, v6: undefined },
      sharedNetwork: undefined,
      dhcpHostname: 'mail',
      pollIntervalMs: 30_000,
      dhcpBackoffMaxMs: 300_000,
      dhcpRelease: true,
      dhcpFamilies: ['v4', 'v6'],
      forwardFilter: true,
      autostartSiblings: true,
      autofixDeadNetns: true,
      managed: undefined,
    });
  });

  it('take the project from Compose when anchord has none of its own', () => {
    expect(networkAnchorSettings({ COMPOSE_PROJECT_NAME: 'web' }).project).toBe('web');
    expect(anchor({ COMPOSE_PROJECT_NAME: 'web' }).project).toBe('mail');
    expect(networkAnchorSettings({ ANCHORD_PROJECT: '', COMPOSE_PROJECT_NAME: 'web' }).project).toBe('web');
  });

  it('let a selector stand in for the project, and name the host after its first key', () => {
    const settings = networkAnchorSettings({ ANCHORD_LABEL_SELECTOR: 'zone=dmz,anchord.identity=ldap' });
    expect(settings).toMatchObject({
      project: undefined,
      scope: {
        bySelector: true,
        discriminator: [
          { key: 'anchord.identity', value: 'ldap' },
          { key: 'zone', value: 'dmz' },
        ],
      },
      dhcpHostname: 'ldap',
    });
    expect(anchor({ ANCHORD_LABEL_SELECTOR: 'a=b' }).dhcpHostname).toBe('mail');
    expect(anchor({ ANCHORD_DHCP_HOSTNAME: 'mx' }).dhcpHostname).toBe('mx');
  });

  it('find the external interface by network before name, and make it where a parent is given', () => {
    expect(anchor({ ANCHORD_EXT_NETWORK: 'lan', ANCHORD_EXT_IFACE: 'eth0' }).external).toEqual({
      kind: 'network',
      network: 'lan',
      ignoredInterface: 'eth0',
    });
    expect(anchor({ ANCHORD_EXT_IFACE: 'eth7' }).external).toEqual({ kind: 'interface', name: 'eth7' });
    expect(anchor({ ANCHORD_VLAN_PARENT: 'eth0.42' }).external).toEqual({
      kind: 'macvlan',
      name: 'anchord-ext',
      parent: 'eth0.42',
      mac: '02:42:4b:1f:af:cf',
    });
    expect(
      anchor({ ANCHORD_VLAN_PARENT: 'eth0.42', ANCHORD_EXT_MAC: '02-42-AA-BB-CC-DD' }).external,
    ).toMatchObject({
      mac: '02:42:aa:bb:cc:dd',
    });
    expect(anchor({ ANCHORD_VLAN_PARENT: 'eth0.42', ANCHORD_EXT_NETWORK: 'lan' }).external.kind).toBe(
      'network',
    );
    // Nobody uses it then, so it may be what it likes.
    expect(anchor({ ANCHORD_EXT_IFACE: 'not/a name', ANCHORD_EXT_NETWORK: 'lan' }).external.kind).toBe(
      'network',
    );
  });

  it('read durations as seconds or as literals, and booleans in any usual way', () => {
    expect(anchor({ ANCHORD_POLL_INTERVAL: '90', ANCHORD_DHCP_BACKOFF_MAX: '1h30m' })).toMatchObject({
      pollIntervalMs: 90_000,
      dhcpBackoffMaxMs: 5_400_000,
    });
    expect(anchor({ ANCHORD_AUTOSTART_SIBLINGS: ' F ' }).autostartSiblings).toBe(false);
  });

  it('run DHCP in the families that are wanted', () => {
    expect(anchor({ ANCHORD_DHCP_FAMILIES: ' v6 ,' }).dhcpFamilies).toEqual(['v6']);
    expect(anchor({ ANCHORD_DHCP_FAMILIES: 'v6,v4' }).dhcpFamilies).toEqual(['v6', 'v4']);
    for (const wrong of ['4', ',', 'v4;v6']) {
      expect(() => anchor({ ANCHORD_DHCP_FAMILIES: wrong })).toThrow('ANCHORD_DHCP_FAMILIES');
    }
  });

  it('switch the listener off with an empty address, and keep one that makes no sense for the listener to refuse', () => {
    expect(anchor({ ANCHORD_METRICS_ADDR: '' }).metricsAddress).toBeNull();
    expect(anchor({ ANCHORD_METRICS_ADDR: 'nonsense' }).metricsAddress).toBe('nonsense');
  });

  it('read the recipe of a managed service-anchor only when it has a target', () => {
    const broken = { ANCHORD_MANAGED_SA_LABELS: 'nonsense', ANCHORD_MANAGED_SA_EXTRA_ENV: '[]' };
    expect(anchor({ ...broken, ANCHORD_MANAGED_SA_TARGET: ' ' }).managed).toBeUndefined();
    expect(
      anchor({ ANCHORD_MANAGED_SA_TARGET: ' app ', ANCHORD_MANAGED_SA_EXTRA_ENV: '{"A":"1"}' }).managed,
    ).toEqual({
      target: 'app',
      name: 'app-service-anchor',
      image: undefined,
      gatewayIp: undefined,
      extraEnv: new Map([['A', '1']]),
      labels: new Map(),
    });
  });

  it.each<[Env, string]>([
    [
      { ANCHORD_PROJECT: '' },
      'config: ANCHORD_PROJECT (or COMPOSE_PROJECT_NAME) must be set unless ANCHORD_LABEL_SELECTOR is',
    ],
    [
      { ANCHORD_ADDRESS_MODE: 'DHCP' },
      'config: invalid ANCHORD_ADDRESS_MODE "DHCP" (want "bootstrap", "dhcp-refresh", or "slaac-ra-only")',
    ],
    [{ ANCHORD_LABEL_SELECTOR: 'a' }, `config: label selector entry "a" missing '='`],
    [{ ANCHORD_POLL_INTERVAL: '0' }, 'config: ANCHORD_POLL_INTERVAL must be positive'],
    [{ ANCHORD_DHCP_BACKOFF_MAX: '-1s' }, 'config: ANCHORD_DHCP_BACKOFF_MAX must be positive'],
    [
      { ANCHORD_AUTOFIX_DEAD_NETNS: 'yes' },
      'config: invalid ANCHORD_AUTOFIX_DEAD_NETNS="yes": must be true/false (or 1/0)',
    ],
    [
      { ANCHORD_EXT_GATEWAY_IP: '10.0.0.300' },
      'config: ANCHORD_EXT_GATEWAY_IP: ANCHORD_EXT_GATEWAY_IP="10.0.0.300" is not a valid IP',
    ],
    [
      { ANCHORD_EXT_GATEWAY_IP: '10.0.0.1,10.0.0.2' },
      'config: ANCHORD_EXT_GATEWAY_IP: ANCHORD_EXT_GATEWAY_IP lists more than one IPv4 address',
    ],
    [
      { ANCHORD_MANAGED_SA_TARGET: 'app', ANCHORD_MANAGED_SA_LABELS: '{"com.docker.compose.project":"x"}' },
      'config: ANCHORD_MANAGED_SA_LABELS: "com.docker.compose.project" is reserved (Compose or anchord set it)',
    ],
    [
      { ANCHORD_VLAN_PARENT: 'eth0', ANCHORD_EXT_IFACE: 'a-name-too-long-' },
      'config: ANCHORD_EXT_IFACE must have at most 15 bytes',
    ],
    [{ ANCHORD_EXT_IFACE: 'a-name-too-long-' }, 'config: ANCHORD_EXT_IFACE must have at most 15 bytes'],
    [{ ANCHORD_EXT_IFACE: 'eth0 ' }, 'config: ANCHORD_EXT_IFACE="eth0 " is not the name of an interface'],
    [{ ANCHORD_EXT_IFACE: '..' }, 'config: ANCHORD_EXT_IFACE=".." is not the name of an interface'],
    [{ ANCHORD_VLAN_PARENT: 'a/b' }, 'config: ANCHORD_VLAN_PARENT="a/b" is not the name of an interface'],
  ])('refuse %j', (env, message) => {
    expect(() => anchor(env)).toThrow(message);
  });

  it.each([
    ['ANCHORD_POLL_INTERVAL', 'soon', /^config: invalid ANCHORD_POLL_INTERVAL: /],
    ['ANCHORD_POLL_INTERVAL', ' 5s', /^config: invalid ANCHORD_POLL_INTERVAL: /],
    ['ANCHORD_EXT_MAC', '02:42', /^config: invalid ANCHORD_EXT_MAC: /],
  ])('refuse %s=%j', (variable, value, message) => {
    expect(() => anchor({ [variable]: value })).toThrow(message);
  });

  it('name everything that is wrong at once', () => {
    expect(() => anchor({ ANCHORD_POLL_INTERVAL: '0', ANCHORD_ADDRESS_MODE: 'x' })).toThrow(
      /ANCHORD_ADDRESS_MODE.*ANCHORD_POLL_INTERVAL/,
    );
  });
});

describe('service-anchor settings', () => {
  it('follow a name by default', () => {
    expect(service()).toEqual({
      logLevel: 'info',
      metricsAddress: '127.0.0.1:9090',
      gateway: { kind: 'name', hostname: 'anchord' },
      resolveIntervalMs: 5_000,
    });
  });

  it('follow addresses when they are given, and remember a name that was given, too', () => {
    expect(service({ ANCHORD_GATEWAY_IP: ' fd30:0::2 , ,172.30.0.2' }).gateway).toEqual({
      kind: 'addresses',
      addresses: { v4: '172.30.0.2', v6: 'fd30::2' },
      ignoredHostname: undefined,
    });
    expect(
      service({ ANCHORD_GATEWAY_IP: '::ffff:172.30.0.2', ANCHORD_GATEWAY_HOSTNAME: 'gw' }).gateway,
    ).toMatchObject({ addresses: { v4: '172.30.0.2', v6: undefined }, ignoredHostname: 'gw' });
  });

  it('follow the name when the addresses are only commas', () => {
    expect(service({ ANCHORD_GATEWAY_IP: ' , ' }).gateway.kind).toBe('name');
  });

  it.each<[Env, string]>([
    [{ ANCHORD_GATEWAY_IP: 'gw' }, 'config: ANCHORD_GATEWAY_IP="gw" is not a valid IP'],
    [{ ANCHORD_GATEWAY_IP: 'fe80::1%eth0' }, 'config: ANCHORD_GATEWAY_IP="fe80::1%eth0" is not a valid IP'],
    [{ ANCHORD_GATEWAY_IP: 'fd::1,fd::2' }, 'config: ANCHORD_GATEWAY_IP lists more than one IPv6 address'],
    [
      { ANCHORD_GATEWAY_RESOLVE_INTERVAL: '0', ANCHORD_GATEWAY_IP: '10.0.0.1' },
      'config: ANCHORD_GATEWAY_RESOLVE_INTERVAL must be positive',
    ],
  ])('refuse %j', (env, message) => {
    expect(() => service(env)).toThrow(message);
  });
});

describe('configuration fingerprint', () => {
  it('is the first four bytes of the digest of project and interface', () => {
    // printf 'mail|eth0' | sha256sum
    expect(configurationFingerprint('mail', { kind: 'interface', name: 'eth0' }, 'eth0')).toBe('e4a9826c');
  });

  it('is that of project and parent on an interface of our own making', () => {
    const { external } = anchor({ ANCHORD_VLAN_PARENT: 'eth0.42' });
    // printf 'maileth0.42' | sha256sum
    expect(configurationFingerprint('mail', external, 'anchord-ext')).toBe('d8691883');
  });
});

describe('any environment', () => {
  const keys = [
    ...new Set(Object.values(settingsOfModes).flatMap((mode) => mode?.keys ?? [])),
    'ANCHORD_UNKNOWN',
  ];
  const pieces = fc.constantFrom(
    ...[
      '',
      ' ',
      '0',
      '-1',
      '1h',
      '5s',
      'true',
      'yes',
      'mail',
      'a=b',
      '=',
      ',',
      '{}',
      '{"a":1}',
      'null',
      '[]',
    ],
    ...['10.0.0.1', '::1', '::ffff:1.2.3.4', 'eth0', '02:42:00:00:00:01', '\u0000', '\n', '\u{1f6a2}', '%'],
  );
  const value = fc.oneof(
    pieces,
    fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
    fc.constant('x'.repeat(100_000)),
  );

  it.each(
    Object.keys(settingsOfModes),
  )('can be used by %s, or is refused in one sentence a fault', (name) => {
    const mode = settingsOfModes[name as keyof typeof settingsOfModes];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: true }), (env) => {
        try {
          mode?.check(env);
        } catch (error) {
          expect(error).toMatchObject({
            code: 'CONFIG_INVALID',
            message: expect.stringMatching(/^config: /),
          });
          return;
        }
        for (const { value: shown } of mode?.show(env) ?? []) expect(typeof shown).toBe('string');
      }),
      { numRuns: 500 },
    );
  });
});
