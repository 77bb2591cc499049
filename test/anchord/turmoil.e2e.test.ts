/** Many things at once, in an order that chance makes: whatever happens to the data path, it comes back by itself. */
import { waitFor } from '@berth/lab/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ComposeProject } from '../src/compose.ts';
import { Harbour, logged } from '../src/harbour.ts';

const host = 57;
const rounds = 5;

let harbour: Harbour;
let stack: ComposeProject;
beforeAll(async () => {
  harbour = await Harbour.open();
  stack = await harbour.stack({ host, number: 51, expose: 'tcp/25,udp/53', ports: ['25/tcp', '53/udp'] });
  await stack.up();
  await harbour.reach(4, { host });
});
afterAll(() => harbour?.[Symbol.asyncDispose]());

const transit = () => `${stack.name}_transit`;

/** As the kernel does it when memory is short; Docker's restart policy brings the container back. */
async function killHard(service: string): Promise<void> {
  await harbour.host.must(['kill', '-KILL', await stack.inspect(service, '{{.State.Pid}}')]);
}

const harms = {
  'the anchor is killed hard': () => killHard('anchord'),
  'the anchor is stopped for a second': async () => {
    const anchor = await stack.containerOf('anchord');
    await harbour.host.docker('pause', anchor);
    try {
      await stack.exec('smtp-anchor', 'ip', 'route', 'flush', 'default');
    } finally {
      await harbour.host.docker('unpause', anchor);
    }
  },
  'all rulesets are flushed': () => stack.exec('anchord', 'nft', 'flush', 'ruleset'),
  'one table is deleted': () => stack.exec('anchord', 'nft', 'delete', 'table', 'ip6', 'anchord_v6'),
  'one map is emptied': () => stack.exec('anchord', 'nft', 'flush', 'map', 'ip', 'anchord_v4', 'dnat_tcp'),
  'routes go from the anchor': () => stack.exec('anchord', 'ip', '-6', 'route', 'flush', 'default'),
  'routes go from the service': () => stack.exec('smtp-anchor', 'ip', 'route', 'flush', 'default'),
  'the service moves on its network': async () => {
    const service = await stack.containerOf('smtp-anchor');
    await harbour.host.docker('network', 'disconnect', transit(), service);
    await harbour.host.docker('network', 'connect', transit(), service);
  },
  'the service is re-created': () =>
    stack.run('up', '--detach', '--force-recreate', '--timeout', '1', 'smtp-anchor', 'smtp'),
} satisfies Readonly<Record<string, () => Promise<unknown>>>;

const names = Object.keys(harms) as (keyof typeof harms)[];

/** The same order for the same seed. */
function chosen(seed: number): readonly (keyof typeof harms)[] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return Array.from({ length: 3 }, () => names[(next() >>> 8) % names.length] ?? 'all rulesets are flushed');
}

const base = Number(process.env['BERTH_SEED'] ?? 20_261_128);

it.each(
  Array.from({ length: rounds }, (_, round) => [base + round, chosen(base + round).join(', then ')] as const),
)('is right again after seed %i: %s', async (seed) => {
  // An anchor that is down at the moment can not be harmed any further.
  for (const harm of chosen(seed)) await harms[harm]().catch(() => undefined);
  for (const family of [4, 6] as const) {
    const greeting = await harbour.reach(family, { host, timeoutMs: 60_000 });
    expect(greeting.source).toBe(harbour.clientAddress(family));
    const beyond = await harbour.reach(family, { host, from: 'inet', timeoutMs: 60_000 });
    expect(beyond.source).toBe(harbour.clientAddress(family, 'inet'));
    const target = { host: harbour.address(family, host), port: 53 };
    const client = harbour.space.client();
    const datagram = await waitFor(
      'an answer by datagram',
      () => client.greetUdp(target).catch(() => undefined),
      {
        timeoutMs: 60_000,
      },
    );
    expect(datagram.source).toBe(harbour.clientAddress(family));
  }
});

it('has said no word of defeat', async () => {
  await logged(stack, 'anchord', 'reconciled');
  const errors = (await stack.logs('anchord')).filter(({ level }) => level === 'ERROR');
  expect(errors).toEqual([]);
});
