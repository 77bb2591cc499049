import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { config6, type Observed6, SimulatedHost6 } from '../testing/client6.ts';
import { Random } from '../testing/random.ts';
import { type Mood6, SimulatedServer6 } from '../testing/server6.ts';
import { fine, Link, Timeline, type Weather } from '../testing/timeline.ts';
import { type Ipv6, parseIpv6 } from '../wire/index.ts';
import { dhcp6Table } from './client-table.ts';

const incidents = [
  'server-restarts',
  'prefix-changes',
  'one-more-address',
  'everything-withdrawn',
  'addresses-are-squatted',
  'address-is-a-duplicate',
  'addresses-refused',
  'routers-say-no',
  'routers-say-yes',
  'doubt',
  'host-sleeps',
  'client-restarts',
] as const;
type Incident = (typeof incidents)[number];

/** What happens on the LAN during one stretch of time. */
interface Stretch {
  readonly seconds: number;
  readonly weather: Weather;
  readonly moods: readonly [Mood6, Mood6];
  readonly validSeconds: number;
  readonly incidents: readonly Incident[];
}

const mood: fc.Arbitrary<Mood6> = fc.constantFrom('well', 'well', 'silent', 'refusing', 'empty', 'hostile');
const probability = fc.constantFrom(0, 0, 0.1, 0.5, 1);

const anyStretch: fc.Arbitrary<Stretch> = fc.record({
  seconds: fc.integer({ min: 1, max: 1500 }),
  weather: fc.record({
    loss: probability,
    duplication: probability,
    damage: fc.constant(0),
    delayMs: fc.constantFrom(1, 50, 3000, 20_000),
  }),
  moods: fc.tuple(mood, mood),
  validSeconds: fc.constantFrom(1, 20, 120, 600, 3600),
  incidents: fc.uniqueArray(fc.constantFrom(...incidents), { maxLength: 3 }),
});

const quiet: Stretch = {
  seconds: 200,
  weather: fine,
  moods: ['well', 'silent'],
  validSeconds: 600,
  incidents: [],
};

/** What chance hits too rarely. */
const rare: readonly (readonly Stretch[])[] = [
  [{ ...quiet, seconds: 100 }, { ...quiet, incidents: ['prefix-changes'] }, quiet],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['one-more-address', 'addresses-refused'] },
  ],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['one-more-address', 'addresses-are-squatted'] },
  ],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['everything-withdrawn'] },
  ],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['everything-withdrawn', 'doubt'] },
  ],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['prefix-changes', 'doubt'] },
  ],
  [
    { ...quiet, seconds: 100 },
    { ...quiet, incidents: ['address-is-a-duplicate'] },
  ],
  [quiet, { ...quiet, moods: ['silent', 'silent'], incidents: ['address-is-a-duplicate'] }, quiet],
  [
    { ...quiet, seconds: 160, moods: ['silent', 'silent'] },
    { ...quiet, incidents: ['routers-say-yes'] },
  ],
  [quiet, { ...quiet, moods: ['refusing', 'silent'], incidents: ['server-restarts'] }],
  [quiet, { ...quiet, incidents: ['server-restarts'] }],
  [quiet, { ...quiet, incidents: ['server-restarts', 'doubt'] }],
  [quiet, { ...quiet, incidents: ['doubt', 'address-is-a-duplicate'] }],
  [quiet, { ...quiet, incidents: ['client-restarts'] }],
  [quiet, { ...quiet, incidents: ['prefix-changes', 'client-restarts'] }],
  [quiet, { ...quiet, incidents: ['host-sleeps'] }],
  [
    { ...quiet, validSeconds: 20 },
    { ...quiet, seconds: 5, moods: ['silent', 'silent'], incidents: ['client-restarts'] },
    { ...quiet, moods: ['silent', 'silent'] },
  ],
];

/** What has to hold after every single step, whatever the LAN does. */
class Watch {
  readonly seen = new Map<string, Set<string>>();
  readonly #host: SimulatedHost6;

  constructor(host: SimulatedHost6) {
    this.#host = host;
  }

  look(observed: Observed6): void {
    this.#checkAddresses(observed);
    checkActions(observed, this.#host.config.backoffMaxMs);
    const { from, to } = observed;
    const seen = this.seen.get(from.phase) ?? new Set();
    this.seen.set(from.phase, seen.add(to.phase));
    const ways = Object.values(dhcp6Table[from.phase]).flatMap((cell): readonly string[] => cell.to);
    if (from.phase !== to.phase && !ways.includes(to.phase)) throw new Error(`${from.phase} to ${to.phase}`);
  }

  #checkAddresses({ input, to, atMs }: Observed6): void {
    const { addresses } = this.#host;
    const owned = 'lease' in to ? to.lease : 'held' in to ? to.held : undefined;
    const named = new Set(owned?.addresses.map(({ address }) => address));
    const leaving = to.phase === 'checking' ? to.outgoing : [];
    for (const [address, validUntilMs] of addresses) {
      if (leaving.includes(address)) continue;
      if (!named.has(address)) throw new Error(`${to.phase} with ${address}`);
      if (input.kind === 'tick' && validUntilMs < atMs)
        throw new Error(`${address} is in use after its time`);
    }
    if (to.phase !== 'bound' && to.phase !== 'renewing' && to.phase !== 'rebinding') return;
    if (named.size === 0) throw new Error(`${to.phase} without any address`);
    for (const address of named) {
      if (!addresses.has(address)) throw new Error(`${to.phase} without ${address}`);
    }
  }
}

function checkActions({ actions }: Observed6, backoffMaxMs: number): void {
  for (const action of actions) {
    if (action.kind !== 'report' || action.report.kind !== 'lost') continue;
    const { backoffMs } = action.report;
    if (backoffMs <= 0 || backoffMs > backoffMaxMs) throw new Error(`pause of ${backoffMs} ms`);
  }
  if (actions.length > 50) throw new Error(`${actions.length} actions at once`);
}

function run(stretches: readonly Stretch[], seed: number): { host: SimulatedHost6; watch: Watch } {
  const timeline = new Timeline();
  const random = new Random(seed);
  // UDP has checksums: what is damaged does not arrive.
  const link = new Link(timeline, random, () => new Uint8Array(0));
  const servers = [
    new SimulatedServer6(Uint8Array.of(0, 3, 1), random),
    new SimulatedServer6(Uint8Array.of(0, 3, 2), random),
  ] as const;
  const host = new SimulatedHost6(timeline, link, random, { ...config6, backoffMaxMs: 60_000 });
  host.servers = servers;
  const watch = new Watch(host);
  host.onStep = (observed) => watch.look(observed);
  host.start();

  for (const stretch of stretches) {
    link.weather = stretch.weather;
    for (const [index, server] of servers.entries()) {
      server.mood = stretch.moods[index] ?? 'well';
      server.validSeconds = stretch.validSeconds;
      server.preferredSeconds = stretch.validSeconds / 2;
    }
    for (const incident of stretch.incidents) cause(incident, host, servers[0], timeline);
    timeline.runFor(stretch.seconds * 1000);
    checkPace(host.sentAtMs);
    expect(JSON.stringify(host.state).length).toBeLessThan(3000);
    host.squatted.clear();
    host.refusesAddresses = false;
    servers[0].generous = false;
  }

  link.weather = fine;
  for (const server of servers)
    Object.assign(server, { mood: 'well', validSeconds: 600, preferredSeconds: 300 });
  timeline.runFor(3600_000 + 120_000);
  return { host, watch };
}

function cause(incident: Incident, host: SimulatedHost6, server: SimulatedServer6, timeline: Timeline): void {
  const { state } = host;
  switch (incident) {
    case 'server-restarts':
      server.restart();
      break;
    case 'prefix-changes':
      server.prefix = server.prefix === 'fd99::' ? 'fd98::' : 'fd99::';
      break;
    case 'one-more-address':
      server.generous = true;
      break;
    case 'everything-withdrawn':
      server.validSeconds = 0;
      server.preferredSeconds = 0;
      break;
    case 'addresses-are-squatted':
      for (let last = 0x1000; last < 0x1100; last += 1) {
        for (const prefix of ['fd98::', 'fd99::'])
          host.squatted.add(addressOf(`${prefix}${last.toString(16)}`));
      }
      break;
    case 'address-is-a-duplicate': {
      const [first] = 'lease' in state ? state.lease.addresses : [];
      if (first !== undefined) host.input({ kind: 'duplicate', address: first.address });
      break;
    }
    case 'addresses-refused':
      host.refusesAddresses = true;
      break;
    case 'routers-say-no':
    case 'routers-say-yes':
      host.input({ kind: 'routers-say', managed: incident === 'routers-say-yes' });
      break;
    case 'doubt':
      host.input({ kind: 'doubt' });
      break;
    case 'host-sleeps':
      timeline.nowMs += 700_000;
      break;
    case 'client-restarts':
      host.crash();
      break;
    default:
      incident satisfies never;
  }
}

const addressOf = (text: string): Ipv6 => parseIpv6(text)!;

/** However bad it gets: never a flood. */
function checkPace(sentAtMs: number[]): void {
  for (let at = 12; at < sentAtMs.length; at += 1) {
    const within = (sentAtMs[at] ?? 0) - (sentAtMs[at - 12] ?? 0);
    if (within < 2000) throw new Error(`12 packets within ${within} ms`);
  }
  sentAtMs.splice(0);
}

const anyStory = fc.array(anyStretch, { minLength: 1, maxLength: 12 });

describe('a DHCPv6 client on a bad LAN', () => {
  it('keeps its promises throughout, and has a lease as soon as a server is well', () => {
    fc.assert(
      fc.property(anyStory, fc.integer(), (stretches, seed) => {
        const { host } = run(stretches, seed);
        expect(host.state.phase).toMatch(/bound|renewing/);
        expect(host.addresses.size).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('goes every way that its table names, and no other', () => {
    const visited = new Map<string, Set<string>>();
    const stories = [...rare, ...fc.sample(anyStory, { numRuns: 15, seed: 6 })];
    for (const [index, story] of stories.entries()) {
      const { watch } = run(story, index);
      for (const [from, to] of watch.seen) visited.set(from, (visited.get(from) ?? new Set()).union(to));
    }
    for (const [phase, row] of Object.entries(dhcp6Table)) {
      const named = new Set(Object.values(row).flatMap((cell) => cell.to));
      const ends = new Set([phase, 'stopped', 'releasing']);
      expect([phase, ...named.difference(visited.get(phase) ?? new Set()).difference(ends)]).toEqual([phase]);
    }
  }, 60_000);
});
