import { describe, expect, it } from 'vitest';
import { configCheck, configPrint } from './config.ts';

type Env = Readonly<Record<string, string>>;

async function run(
  command: typeof configCheck,
  env: Env,
  mode = 'network-anchor',
  flags: readonly string[] = [],
) {
  const out: string[] = [];
  const err: string[] = [];
  const given = { argument: undefined, flags: new Set(flags), values: new Map([['--mode', [mode]]]) };
  const host = {
    env,
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
  };
  const code = await command(given, host);
  return { code, out: out.join(''), err: err.join('') };
}

describe('anchord config check', () => {
  it('is content with what a mode can use', async () => {
    expect(await run(configCheck, { ANCHORD_PROJECT: 'mail' })).toEqual({
      code: 0,
      out: 'the settings of network-anchor can be used (1 set, the others at their defaults)\n',
      err: '',
    });
    expect((await run(configCheck, {}, 'service-anchor')).code).toBe(0);
  });

  it('names all that is wrong at once, a line each', async () => {
    const { code, out, err } = await run(configCheck, {
      ANCHORD_PROJECT: 'mail',
      ANCHORD_POLL_INTERVAL: '0',
      ANCHORD_ADDRESS_MODE: 'dhcp',
      ANCHORD_MANAGED_SA_TARGET: 'app',
      ANCHORD_MANAGED_SA_LABELS: '[]',
    });
    expect([code, out]).toEqual([1, '']);
    expect(
      err.split('\n').map((line) => line.split(' ').find((word) => word.startsWith('ANCHORD_'))),
    ).toEqual(['ANCHORD_ADDRESS_MODE', 'ANCHORD_POLL_INTERVAL', 'ANCHORD_MANAGED_SA_LABELS:', undefined]);
  });

  it.each([
    ['mail', false],
    ['mail.example.net', false],
    ['mail_1', true],
    ['-mail', true],
    ['p\u00f6st', true],
    ['x'.repeat(64), true],
    ['mail.', true],
  ])('warns of a name for DHCP that no host has: %s', async (ANCHORD_DHCP_HOSTNAME, warned) => {
    const { code, err } = await run(configCheck, { ANCHORD_PROJECT: 'mail', ANCHORD_DHCP_HOSTNAME });
    expect([code, err.includes('ANCHORD_DHCP_HOSTNAME is ')]).toEqual([0, warned]);
  });

  it('warns of what has no effect, and does not mind it', async () => {
    const { code, err } = await run(configCheck, {
      ANCHORD_PROJECT: 'mail',
      ANCHORD_EXT_NETWROK: 'lan',
      ANCHORD_GATEWAY_IP: '10.0.0.1',
      ANCHORD_LOG_LEVEL: 'INFO',
      ANCHORD_METRICS_ADDR: 'nonsense',
      DOCKER_HOST: 'docker-proxy:2375',
    });
    expect(code).toBe(0);
    const lines = err.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe(
      'warning: ANCHORD_EXT_NETWROK is no known setting and has no effect; is ANCHORD_EXT_NETWORK meant?',
    );
    expect(lines[1]).toBe('warning: ANCHORD_GATEWAY_IP is a setting of another mode and has no effect');
    expect(lines[2]).toContain('counts as "info"');
    expect(lines[3]).toContain('ANCHORD_METRICS_ADDR');
    expect(lines[4]).toContain('DOCKER_HOST');
  });
});

describe('anchord config print', () => {
  it('shows where each value comes from, and no value of the environment of others', async () => {
    const { code, out } = await run(configPrint, {
      ANCHORD_PROJECT: 'mail',
      ANCHORD_MANAGED_SA_TARGET: 'app',
      ANCHORD_MANAGED_SA_EXTRA_ENV: '{"PASSWORD":"swordfish"}',
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^# network-anchor\n/);
    expect(out).toMatch(/^ANCHORD_PROJECT +environment +mail$/m);
    expect(out).toMatch(/^ANCHORD_POLL_INTERVAL +default +30s$/m);
    expect(out).toMatch(/^ANCHORD_MANAGED_SA_EXTRA_ENV +environment +{"PASSWORD":"\*\*\*"}$/m);
    expect(out).not.toContain('swordfish');
  });

  it('is JSON on demand', async () => {
    const { out } = await run(configPrint, {}, 'service-anchor', ['--json']);
    expect(JSON.parse(out)).toMatchObject({
      mode: 'service-anchor',
      settings: expect.arrayContaining([
        { key: 'ANCHORD_GATEWAY_HOSTNAME', value: 'anchord', source: 'default' },
      ]),
    });
  });
});
