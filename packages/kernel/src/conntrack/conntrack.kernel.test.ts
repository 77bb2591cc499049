import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IpAddress, parseIp } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { type MadeFlow, makeFlows } from '../testing/flows.ts';
import { freshNamespace, inside } from '../testing/namespaces.ts';
import { Conntrack, type Flow, type FlowSelection } from './index.ts';

let namespace: Netns;
let conntrack: Conntrack;

beforeEach(() => {
  namespace = freshNamespace('conntrack');
  conntrack = Conntrack.open(namespace);
});
afterEach(() => {
  conntrack[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const lan = parseIp('192.0.2.1');
const lan6 = parseIp('2001:db8::1');
const backend = parseIp('172.30.0.2');
const other = parseIp('172.30.0.3');
const backend6 = parseIp('fd00::2');

const flowFrom = (client: string, to: IpAddress, more: Partial<MadeFlow> = {}): MadeFlow => ({
  client: parseIp(client),
  clientPort: 40_000,
  lan: client.includes(':') ? lan6 : lan,
  port: 53,
  backend: to,
  backendPort: 5353,
  ...more,
});

async function select(wanted: FlowSelection): Promise<Flow[]> {
  return (await Array.fromAsync(conntrack.pages(wanted))).flat();
}

const clientsOf = async (wanted: FlowSelection): Promise<string[]> =>
  (await select(wanted)).map(({ original }) => original.source).sort();

/** What the conntrack program lists. */
const told = (...args: string[]): string[] =>
  inside(namespace, 'conntrack', '-L', ...args)
    .split('\n')
    .filter((line) => line !== '');

describe('Conntrack', () => {
  beforeEach(() => {
    makeFlows(namespace, [
      flowFrom('10.0.0.1', backend),
      flowFrom('10.0.0.2', backend, { backendPort: 5354, port: 54 }),
      flowFrom('10.0.0.3', other),
      flowFrom('10.0.0.4', backend, { zone: 7 }),
      flowFrom('2001:db8::9', backend6),
    ]);
  });

  it('counts what the conntrack program counts', () => {
    expect(conntrack.count()).toBe(5);
    expect(conntrack.count()).toBe(Number(inside(namespace, 'conntrack', '-C')));
  });

  it('reads a flow with both of its directions', async () => {
    const flows = await select({});
    expect(flows).toHaveLength(5);
    expect(flows.find(({ original }) => original.source === '10.0.0.4')).toMatchObject({
      family: 4,
      protocol: 'udp',
      original: { source: '10.0.0.4', destination: lan, sourcePort: 40_000, destinationPort: 53 },
      reply: { source: backend, destination: '10.0.0.4', sourcePort: 5353, destinationPort: 40_000 },
      zone: 7,
      seenReply: true,
      assured: true,
      tcpState: undefined,
      counters: undefined,
    });
    const [line = ''] = told('-f', 'ipv6', '-o', 'id');
    const id = Number(/id=(\d+)/.exec(line)?.[1]);
    expect(flows.find(({ family }) => family === 6)).toMatchObject({ id, reply: { source: backend6 } });
  });

  it.each<[string, FlowSelection, string[]]>([
    ['backend', { replySource: backend }, ['10.0.0.1', '10.0.0.2', '10.0.0.4']],
    ['backend of the other family', { replySource: backend6 }, ['2001:db8::9']],
    ['backend and protocol', { replySource: other, protocol: 'udp' }, ['10.0.0.3']],
    ['backend and another protocol', { replySource: other, protocol: 'tcp' }, []],
    [
      'backend, protocol and port',
      { replySource: backend, protocol: 'udp', replySourcePort: 5354 },
      ['10.0.0.2'],
    ],
    ['backend and port', { replySource: backend, replySourcePort: 5354 }, ['10.0.0.2']],
    ['zone', { replySource: backend, zone: 7 }, ['10.0.0.4']],
    ['no zone', { replySource: backend, zone: 0 }, ['10.0.0.1', '10.0.0.2']],
    ['family', { family: 6 }, ['2001:db8::9']],
    [
      'port on the LAN',
      { replySource: backend, originalDestination: lan, originalDestinationPort: 54 },
      ['10.0.0.2'],
    ],
    ['a backend that nobody talks to', { replySource: parseIp('172.30.0.9') }, []],
  ])('selects by %s', async (_, wanted, clients) => {
    expect(await clientsOf(wanted)).toEqual(clients);
  });

  it('does not find a redirected flow under the backend as what the client asked for', async () => {
    expect(await clientsOf({ originalDestination: backend })).toEqual([]);
  });

  it('deletes the flows to one backend, in every zone, and no others', async () => {
    expect(await conntrack.delete([{ replySource: backend }])).toBe(3);
    expect(told('-f', 'ipv4').join()).toContain('src=172.30.0.3');
    expect(conntrack.count()).toBe(2);
    expect(await conntrack.delete([{ replySource: backend }])).toBe(0);
  });

  it('deletes by several selections at once', async () => {
    expect(
      await conntrack.delete([
        { replySource: other },
        { replySource: backend6 },
        { replySource: backend, replySourcePort: 5354 },
      ]),
    ).toBe(3);
    const nobody = Array.from({ length: 20 }, (_, index) => ({ replySource: parseIp(`172.31.0.${index}`) }));
    expect(await conntrack.delete([...nobody, { replySource: backend }])).toBe(2);
    expect(conntrack.count()).toBe(0);
    expect(await conntrack.delete([])).toBe(0);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expect(conntrack.delete([{ replySource: backend }], abort.signal)).rejects.toThrow('enough');
    expect(conntrack.count()).toBe(5);
  });

  it('leaves no descriptor behind, also when nobody reads on', async () => {
    await conntrack.delete([]);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) {
      for await (const page of conntrack.pages()) {
        expect(page.length).toBeGreaterThan(0);
        break;
      }
    }
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

describe('a hundred thousand flows', () => {
  const many = 100_000;

  function* manyFlows(): Generator<MadeFlow> {
    for (let index = 0; index < many; index += 1) {
      yield flowFrom(
        `10.${1 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}`,
        parseIp(`172.30.0.${2 + (index % 100)}`),
      );
    }
  }

  const spentMs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };

  /** Runs something and measures how much this thread worked, in all and in the longest turn. Not by the clock: others run, too. */
  async function watchingTheLoop<T>(run: () => Promise<T>) {
    const started = spentMs();
    let last = started;
    let longestTurnMs = 0;
    let running = true;
    const tick = (): void => {
      const now = spentMs();
      longestTurnMs = Math.max(longestTurnMs, now - last);
      last = now;
      if (running) setTimeout(tick, 0);
    };
    setTimeout(tick, 0);
    const result = await run();
    running = false;
    return { result, longestTurnMs, totalMs: spentMs() - started };
  }

  it('are read without stopping the event loop, and those of one backend are deleted', async () => {
    makeFlows(namespace, manyFlows());
    expect(conntrack.count()).toBe(many);
    const read = await watchingTheLoop(async () => {
      let seen = 0;
      for await (const page of conntrack.pages()) seen += page.length;
      return seen;
    });
    expect(read.result).toBe(many);
    expect(read.longestTurnMs).toBeLessThan(read.totalMs / 4);
    const deletion = await watchingTheLoop(() => conntrack.delete([{ replySource: parseIp('172.30.0.7') }]));
    expect(deletion.result).toBe(many / 100);
    expect(conntrack.count()).toBe(many - many / 100);
  });
});
