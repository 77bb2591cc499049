import { echo, ensureImage } from '@berth/lab';
import { openSpace, waitFor } from '@berth/lab/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailStack } from '../src/mail-stack.ts';

const say = (line: string): void => void process.stdout.write(`  ${line}\n`);

beforeAll(async () => {
  await using space = await openSpace();
  await ensureImage(space.host, echo(), say);
});

describe('a project with an address of its own', () => {
  it('is reached from the LAN, and its service sees the real address of the client', async () => {
    await using space = await openSpace();
    const lan = await space.lanNetwork();
    await using stack = await mailStack(space, { lan });
    await stack.up();
    const client = space.client();
    const { plan } = space.lab.lan;
    const evidence = { text: '' };
    try {
      const greeting = await waitFor(
        'the service on the LAN',
        async () =>
          await client.greetTcp({ host: plan.v4(40), port: 25, timeoutMs: 500 }).catch(() => undefined),
        { timeoutMs: 20_000 },
      );
      expect(greeting.source).toBe(client.v4);
    } catch (error) {
      evidence.text = JSON.stringify([await stack.logs('anchord'), await stack.logs('smtp-anchor')], null, 1);
      throw new Error(`${String(error)}\n${evidence.text}`);
    }
  });
});
