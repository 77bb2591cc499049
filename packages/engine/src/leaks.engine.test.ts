import { it } from 'vitest';
import { eventually, held, isNoMore } from './testing/resources.ts';
import { onEveryEngine } from './testing/site.ts';

onEveryEngine('a long life', (site) => {
  const { containers, events, system } = site.engine;

  it('leaves no descriptor and no timer behind, however the calls end', async () => {
    const id = await site.run('busy');
    const round = async (): Promise<void> => {
      await Promise.all([containers.list({ all: true }), containers.inspect(id), system.ping()]);
      await containers.inspect('nobody').catch(() => undefined);
      await containers.logs(id);
      await containers.wait(id, 'not-running', { timeoutMs: 1 }).catch(() => undefined);
      await containers.wait(id, 'not-running', { signal: AbortSignal.timeout(1) }).catch(() => undefined);
      await events.open({}, { signal: AbortSignal.abort() }).catch(() => undefined);
      using _unread = await events.open();
    };
    await round();
    const before = held();
    for (let count = 0; count < 100; count++) await round();
    await eventually('as few descriptors and timers as before', () => isNoMore(held(), before));
  });
});
