/** What becomes of a lease over time: on the real client, against a real server, on a real engine. */
import { type DhcpSpec, serveDhcp, silenceDhcp } from '@berth/lab';
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { greeted, leasedV4 } from '../src/external.ts';
import { Harbour, logged } from '../src/harbour.ts';

const terms: DhcpSpec = { v4: true, v6: 'none', leaseSeconds: 600 };
const refresh = {
  ANCHORD_ADDRESS_MODE: 'dhcp-refresh',
  ANCHORD_DHCP_HOSTNAME: 'mail',
  ANCHORD_LOG_LEVEL: 'debug',
};

let harbour: Harbour;
beforeAll(async () => {
  harbour = await Harbour.open();
});
afterAll(async () => {
  await harbour?.[Symbol.asyncDispose]();
});

const lan = () => harbour.space.lab.lan;

describe('a lease over time', () => {
  let stack: ComposeProject;
  const early = [100, 109] as const;
  const late = [150, 159] as const;

  beforeAll(async () => {
    await serveDhcp(lan(), { ...terms, pool: early, renewSeconds: 3 });
    stack = await harbour.stack({ host: 42, env: refresh });
    await stack.up();
    await leasedV4(stack, early);
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('is renewed without a word to the kernel, and connections live on', async () => {
    const address = await leasedV4(stack, early);
    const socket = await harbour.space.client().sockets.tcp({ host: address, port: 25 });
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await waitFor(
      'two renewals',
      async () =>
        (await stack.logs('anchord')).filter(({ msg }) => msg === 'dhcp v4 lease renewed').length >= 2,
      { timeoutMs: 60_000, everyMs: 100 },
    );
    socket.write('still there?\n');
    await waitFor('the echo', () => heard.includes('still there?'), { timeoutMs: 60_000 });
    socket.destroy();
    expect(await leasedV4(stack, early)).toBe(address);
  });

  it('leads out through the router that it names', async () => {
    const line = await logged(stack, 'anchord', 'ext default-route dynamic source updated');
    expect(line).toMatchObject({ family: 'v4', gw: harbour.address(4, 1) });
    const beyond = await harbour.space
      .client('inet')
      .greetTcp({ host: await leasedV4(stack, early), port: 25 });
    expect(beyond.source).toBe(harbour.clientAddress(4, 'inet'));
  });

  it('moves to another address when the server has other addresses now, inbound and outbound, without a restart', async () => {
    const before = await leasedV4(stack, early);
    await serveDhcp(lan(), { ...terms, pool: late, renewSeconds: 3 });
    const after = await leasedV4(stack, late);
    expect(after).not.toBe(before);
    await logged(stack, 'anchord', 'external IPv4 changed', (line) => line['new'] === after);
    expect((await greeted(harbour, after)).source).toBe(harbour.space.client().v4);
    expect(await stack.inspect('anchord', '{{.RestartCount}}')).toBe('0');
  });

  it('outlives a server that is away for a while, and a hard kill of the anchor', async () => {
    const address = await leasedV4(stack, late);
    await silenceDhcp(lan());
    await stack.run('kill', '--signal', 'KILL', 'anchord');
    await serveDhcp(lan(), { ...terms, pool: late, renewSeconds: 3 });
    await stack.up('anchord');
    expect(await leasedV4(stack, late)).toBe(address);
    expect((await greeted(harbour, address)).source).toBe(harbour.space.client().v4);
  });
});
