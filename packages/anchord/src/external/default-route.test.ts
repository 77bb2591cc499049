import type { Networks } from '@berth/engine';
import { VirtualClock } from '@berth/service';
import { afterEach, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { ExternalDefaultRoute } from './default-route.ts';

const end = new AbortController();
afterEach(() => end.abort());

/** Without an interface, so that nothing is written: only where the route is meant to lead. */
function route(inspect: () => Promise<unknown>) {
  const clock = new VirtualClock();
  const parts = testParts();
  const networks = { inspect } as unknown as Pick<Networks, 'inspect'>;
  const external = new ExternalDefaultRoute(
    { externalNetwork: 'lan', pin: { v4: undefined, v6: undefined } },
    {
      ...{ ...parts, clock, networks, network: {} as never },
      link: () => undefined,
      arrangement: { over: async () => undefined },
    },
  );
  void external.run(end.signal);
  return { ...parts, clock, external };
}

it('asks Docker again for the gateway that it could not have, and says once that it lacks it', async () => {
  let asked = 0;
  const { clock, external, recording, problems } = route(async () => {
    asked += 1;
    if (asked < 3) throw new Error('not allowed');
    return { pools: [{ gateway: '10.99.0.1' }, { gateway: 'fd99::1' }] };
  });
  await clock.advance(1_000);
  expect([asked, external.gateways()]).toEqual([1, { v4: undefined, v6: undefined }]);
  expect(problems.of('gateway-unknown')).toMatchObject([{ subject: 'lan', detail: 'not allowed' }]);
  await clock.advance(80_000);
  expect([asked, external.gateways()]).toEqual([3, { v4: '10.99.0.1', v6: 'fd99::1' }]);
  expect(problems.of('gateway-unknown')).toEqual([]);
  expect(recording.attrsOf('ext IPAM lookup failed; will fall back to pin / DHCP only')).toEqual([
    { ext_network: 'lan', err: 'not allowed' },
  ]);
  await clock.advance(200_000);
  expect(asked).toBe(3);
});
