/** The image as users get it: what it says of itself, what it needs, and that its health check works with what is in it. */
import { anchordImage } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harbour, logged } from '../src/harbour.ts';

let harbour: Harbour;
let image: string;
beforeAll(async () => {
  harbour = await Harbour.open();
  image = await anchordImage(harbour.host, (line) => void process.stdout.write(`  ${line}\n`));
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const inspect = (ref: string, format: string) =>
  harbour.host.docker('inspect', '--format', format, ref).then((text) => text.trim());

describe('the image', () => {
  it('says what it is', async () => {
    const labels: unknown = JSON.parse(await inspect(image, '{{json .Config.Labels}}'));
    expect(labels).toMatchObject({
      'org.opencontainers.image.title': 'anchord',
      'org.opencontainers.image.description': expect.stringContaining('address'),
      'org.opencontainers.image.source': '',
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.version': 'dev',
      'org.opencontainers.image.revision': 'unknown',
    });
  });

  it('has no shell, and what operators look with', async () => {
    const run = (...argv: readonly string[]) =>
      harbour.host.exec(['docker', 'run', '--rm', '--entrypoint', argv[0] ?? '', image, ...argv.slice(1)]);
    expect((await run('/bin/sh', '-c', 'true')).code).not.toBe(0);
    for (const program of ['nft', 'ip', 'conntrack']) {
      expect(await run(program, program === 'ip' ? '-V' : '--version')).toMatchObject({ code: 0 });
    }
  });

  it('runs with NET_ADMIN and nothing else, and is healthy by its own check', async () => {
    // The image's own check, only more often.
    const healthcheck = { interval: '1s' };
    const fewest = {
      healthcheck,
      cap_drop: ['ALL'],
      cap_add: ['NET_ADMIN'],
      read_only: true,
      tmpfs: ['/var/lib/anchord'],
      // Not the beginning of its id, by which Docker would know it.
      hostname: 'mail',
    };
    // For this one it would need NET_RAW, and does without.
    const env = { ANCHORD_ADDRESS_MODE: 'dhcp-refresh' };
    await using stack = await harbour.stack({ host: 58, number: 31, anchor: fewest, env });
    await stack.up();
    expect((await harbour.reach(4, { host: 58 })).source).toBe(harbour.clientAddress(4));
    await logged(stack, 'anchord', 'reconciled');
    const status = () => stack.inspect('anchord', '{{.State.Health.Status}}');
    await waitFor('a healthy anchor', async () => (await status()) === 'healthy', {
      timeoutMs: 90_000,
      everyMs: 500,
    });
    const lacking = await stack.exec('anchord', 'anchord', 'health');
    expect(lacking).toMatch(/^warning: no-lease: v4: opening a packet socket .* failed: EPERM$/m);
    const single = [
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_ADMIN',
      '--read-only',
      '--network',
      `${stack.name}_transit`,
    ];
    const id = await harbour.space.start('lone', ...single, image, 'service-anchor');
    await waitFor(
      'the route of a service-anchor',
      async () => (await harbour.host.docker('logs', id)).includes('default route updated'),
      { timeoutMs: 60_000 },
    );
  });
});
