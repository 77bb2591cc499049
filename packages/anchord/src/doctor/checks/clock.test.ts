/** What the doctor makes of an engine whose clock is not ours: a real answer on a real socket, with another date in it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectEngine } from '@berth/engine';
import { Scope, systemClock } from '@berth/service';
import { expect, it } from 'vitest';
import { compareClocks } from './docker.ts';

async function seenWith(date: string | undefined) {
  const server = createServer((_, response) => {
    response.sendDate = false;
    if (date !== undefined) response.setHeader('Date', date);
    response.setHeader('Api-Version', '1.44').end('OK');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const scope = new Scope('clock', () => undefined);
  try {
    const engine = connectEngine(scope, { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } });
    return await compareClocks({ engine, signal: scope.signal, clock: systemClock });
  } finally {
    await scope.close();
    server.closeAllConnections();
    server.close();
  }
}

const dateIn = (ms: number): string => new Date(Date.now() + ms).toUTCString();

it.each([
  [600_000, /^the engine is (599|600) s ahead of us$/],
  [-600_000, /^the engine is (599|600) s behind us$/],
])('finds an engine that is %i ms off', async (ms, detail) => {
  expect(await seenWith(dateIn(ms))).toEqual({
    kind: 'problems',
    findings: [{ subject: '', detail: expect.stringMatching(detail) }],
  });
});

it('finds nothing wrong within what an answer can tell', async () => {
  for (const ms of [0, 1_500]) expect((await seenWith(dateIn(ms))).kind).toBe('fine');
});

it('does not guess where the engine, or a proxy, leaves the date out', async () => {
  expect(await seenWith(undefined)).toEqual({ kind: 'unknown', why: 'the engine does not tell its time' });
});
