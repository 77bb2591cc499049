/** The doctor on a stack with much wrong at once: each of it is named, and what it cannot mend it says. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { diagnose, healthOf } from '../src/doctor.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let broken: ComposeProject;

beforeAll(async () => {
  harbour = await Harbour.open();
  broken = await harbour.stack({
    host: 59,
    number: 41,
    env: { ANCHORD_EXT_GATEWAY_IP: '10.99.0.250', ANCHORD_ADDRESS_MODE: 'slaac-ra-only' },
    anchor: { sysctls: { 'net.ipv4.ip_forward': '0' } },
    services: {
      rival: {
        image: 'berth-lab/echo',
        command: ['25/tcp'],
        labels: { 'anchord.expose': 'tcp/25' },
        networks: { transit: {} },
      },
      misspelt: {
        image: 'berth-lab/echo',
        command: ['26/tcp'],
        labels: { 'anchord.expose': 'tpc/26' },
        networks: { transit: {} },
      },
      apart: {
        image: 'berth-lab/echo',
        command: ['27/tcp'],
        labels: { 'anchord.expose': 'tcp/27' },
        network_mode: 'none',
      },
    },
  });
  await broken.up();
  const id = await broken.containerOf('anchord');
  await waitFor(
    'the anchor to be ready',
    async () => (await healthOf(harbour.host, id)).startsWith('ready'),
    { timeoutMs: 60_000 },
  );
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const doctor = async (...args: readonly string[]) =>
  await diagnose(harbour.host, ['docker', 'exec', await broken.containerOf('anchord'), 'anchord'], ...args);

describe('a stack with much wrong', () => {
  it('has each of it named', async () => {
    const found = await doctor();
    expect(found.exitCode).toBe(1);
    expect(found.codes('problem')).toEqual(
      expect.arrayContaining([
        'gateway-silent',
        'forwarding-off',
        'port-conflict',
        'invalid-labels',
        'no-address',
      ]),
    );
    expect(found.of('gateway-silent')).toMatchObject([{ subject: '10.99.0.250' }]);
    expect(found.of('port-conflict').map(({ subject }) => subject)).toEqual(['v4/tcp/25', 'v6/tcp/25']);
    expect(found.of('forwarding-off')[0]?.detail).toBe('net.ipv4.ip_forward is 0');
    expect(found.of('invalid-labels')[0]?.detail).toContain('unsupported proto "tpc"');
  });

  it('says what it could not mend, and why', async () => {
    const fixed = await doctor('--only', 'forwarding-off', '--fix');
    expect(fixed.said).toMatch(/^set net\.ipv4\.ip_forward to 1: failed: /);
    expect(fixed.exitCode).toBe(1);
  });

  it('shows the same to those who ask the anchor itself', async () => {
    const status = JSON.parse(await broken.exec('anchord', 'anchord', 'status', '--json')) as {
      readonly problems: readonly { readonly code: string }[];
    };
    const codes = status.problems.map(({ code }) => code);
    expect(codes).toEqual(
      expect.arrayContaining(['forwarding-off', 'port-conflict', 'invalid-labels', 'no-address']),
    );
  });
});
