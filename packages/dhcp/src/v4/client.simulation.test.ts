import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arpAnnouncement } from '../frames/index.ts';
import { config4, type Observed4, SimulatedHost4 } from '../testing/client4.ts';
import { mutated } from '../testing/mutation.ts';
import { Random } from '../testing/random.ts';
import { type Mood4, SimulatedServer4 } from '../testing/server4.ts';
import { fine, Link, Timeline, type Weather } from '../testing/timeline.ts';
import { type Ipv4, parseIpv4, parseMac } from '../wire/index.ts';
import { dhcp4Table } from './client-table.ts';

const ip = (text: string): Ipv4 => parseIpv4(text)!;
const squatterMac = parseMac('02:00:00:00:00:99')!;

/** What happens on the LAN during one stretch of time. */
interface Stretch {
  readonly seconds: number;
  readonly weather: Weather;
  readonly moods: readonly [Mood4, Mood4];
  readonly leaseSeconds: number;
  readonly incidents: readonly Incident[];
}

const incidents = [
  'server-restarts',
  'server-renumbers',
  'server-moves-clients',
  'network-grows',
  'addresses-are-squatted',
  'address-is-claimed',
  'addresses-refused',
  'doubt',
  'host-sleeps',
  'client-restarts',
] as const;
type Incident = (typeof incidents)[number];

const mood: fc.Arbitrary<Mood4> = fc.constantFrom('well', 'well', 'silent', 'refusing', 'hostile');
const probability = fc.constantFrom(0, 0, 0.1, 0.5, 1);

const anyStretch: fc.Arbitrary<Stretch> = fc.record({
  seconds: fc.integer({ min: 1, max: 1500 }),
  weather: fc.record({
    loss: probability,
    duplication: probability,
    damage: fc.constantFrom(0, 0, 0.3),
    delayMs: fc.constantFrom(1, 50, 3000, 20_000),
  }),
  moods: fc.tuple(mood, mood),
  leaseSeconds: fc.constantFrom(1, 20, 120, 600, 3600),
  incidents: fc.uniqueArray(fc.constantFrom(...incidents), { maxLength: 3 }),
});

const quiet: Stretch = {
  seconds: 400,
  weather: fine,
  moods: ['well', 'well'],
  leaseSeconds: 600,
  incidents: [],
};

/** What chance hits too rarely: a renewal that brings another address or mask, and that one is no good. */
const rare: readonly (readonly Stretch[])[] = [
  [quiet, { ...quiet, incidents: ['server-moves-clients', 'addresses-are-squatted'] }],
  [quiet, { ...quiet, incidents: ['server-moves-clients', 'addresses-refused'] }],
  [
    { ...quiet, seconds: 200 },
    { ...quiet, incidents: ['network-grows'] },
  ],
  [quiet, { ...quiet, incidents: ['network-grows', 'doubt'] }],
  [quiet, { ...quiet, moods: ['well', 'silent'], incidents: ['server-moves-clients', 'doubt'] }],
  [quiet, { ...quiet, incidents: ['server-renumbers', 'client-restarts'] }],
  [quiet, { ...quiet, moods: ['silent', 'silent'], incidents: ['client-restarts'] }],
  [quiet, { ...quiet, incidents: ['host-sleeps'] }],
];

/** What has to hold after every single step, whatever the LAN does. */
class Watch {
  readonly seen = new Map<string, Set<string>>();
  readonly #host: SimulatedHost4;

  constructor(host: SimulatedHost4) {
    this.#host = host;
  }

  look({ from, input, to, actions, atMs }: Observed4): void {
    const host = this.#host;
    const fallback = host.config.fallback.map((own) => `${own.address}/${own.prefixLength}`);
    for (const [address, expiresAtMs] of host.addresses) {
      if (input.kind === 'tick' && expiresAtMs < atMs)
        throw new Error(`${address} is in use after its lease`);
    }
    if ('lease' in to) {
      const own = `${to.lease.address}/${to.lease.prefixLength}`;
      if (!host.addresses.has(own)) throw new Error(`${to.phase} without ${own}`);
      if (host.addresses.size !== 1) throw new Error(`${to.phase} with ${[...host.addresses.keys()]}`);
    }
    if (['init', 'rebooting', 'selecting', 'requesting', 'backing-off'].includes(to.phase)) {
      const strangers = [...host.addresses.keys()].filter((address) => !fallback.includes(address));
      if (strangers.length > 0) throw new Error(`${to.phase} with ${strangers}`);
    }
    for (const action of actions) {
      if (action.kind === 'report' && action.report.kind === 'lost') {
        const { backoffMs } = action.report;
        if (backoffMs <= 0 || backoffMs > host.config.backoffMaxMs)
          throw new Error(`pause of ${backoffMs} ms`);
      }
    }
    if (actions.length > 12) throw new Error(`${actions.length} actions at once`);
    this.#note(from.phase, to.phase);
    const named = Object.values(dhcp4Table[from.phase]).flatMap((cell): readonly string[] => cell.to);
    if (from.phase !== to.phase && !named.includes(to.phase)) throw new Error(`${from.phase} to ${to.phase}`);
  }

  #note(from: string, to: string): void {
    const seen = this.seen.get(from) ?? new Set();
    seen.add(to);
    this.seen.set(from, seen);
  }
}

function run(stretches: readonly Stretch[], seed: number): { host: SimulatedHost4; watch: Watch } {
  const timeline = new Timeline();
  const random = new Random(seed);
  const link = new Link(timeline, random, mutated);
  const now = (): number => timeline.nowMs;
  const servers = [
    new SimulatedServer4(ip('10.99.0.1'), random, now),
    new SimulatedServer4(ip('10.99.0.2'), random, now),
  ] as const;
  const config = { ...config4, backoffMaxMs: 60_000 };
  const host = new SimulatedHost4(timeline, link, random, config);
  host.servers = servers;
  const watch = new Watch(host);
  host.onStep = (observed) => watch.look(observed);
  host.start();

  for (const stretch of stretches) {
    link.weather = stretch.weather;
    for (const [index, server] of servers.entries()) {
      server.mood = stretch.moods[index] ?? 'well';
      server.leaseSeconds = stretch.leaseSeconds;
    }
    for (const incident of stretch.incidents) cause(incident, host, servers[0], timeline);
    timeline.runFor(stretch.seconds * 1000);
    checkPace(host.sentAtMs);
    expect(JSON.stringify(host.state).length).toBeLessThan(2000);
    host.squatted.clear();
    host.refusesAddresses = false;
    servers[0].movesClients = false;
    for (const server of servers) server.extra = {};
  }

  link.weather = fine;
  for (const server of servers) Object.assign(server, { mood: 'well', leaseSeconds: 600 });
  // The longest lease or pause that is still running, the longest wait between two questions, and a fresh start.
  timeline.runFor(3600_000 + 120_000);
  return { host, watch };
}

function cause(incident: Incident, host: SimulatedHost4, server: SimulatedServer4, timeline: Timeline): void {
  const { state } = host;
  const address =
    'lease' in state ? state.lease.address : 'candidate' in state ? state.candidate.address : undefined;
  switch (incident) {
    case 'server-restarts':
      server.restart();
      break;
    case 'server-renumbers':
      server.renumber(50 + ((server.next + 20) % 100));
      break;
    case 'server-moves-clients':
      server.movesClients = true;
      break;
    case 'network-grows':
      for (const each of host.servers) each.extra = { subnetMask: ip('255.255.0.0') };
      break;
    case 'addresses-are-squatted':
      for (let last = 51; last < 100; last += 1) host.squatted.add(ip(`10.99.0.${last}`));
      break;
    case 'address-is-claimed':
      if (address !== undefined) host.hears(arpAnnouncement(squatterMac, address));
      break;
    case 'addresses-refused':
      host.refusesAddresses = true;
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

/** However bad it gets: never a flood. */
function checkPace(sentAtMs: number[]): void {
  for (let at = 12; at < sentAtMs.length; at += 1) {
    const within = (sentAtMs[at] ?? 0) - (sentAtMs[at - 12] ?? 0);
    if (within < 3000) throw new Error(`12 packets within ${within} ms`);
  }
  sentAtMs.splice(0);
}

const anyStory = fc.array(anyStretch, { minLength: 1, maxLength: 12 });

describe('a DHCPv4 client on a bad LAN', () => {
  it('keeps its promises throughout, and has a lease as soon as a server is well', () => {
    fc.assert(
      fc.property(anyStory, fc.integer(), (stretches, seed) => {
        const { host } = run(stretches, seed);
        expect(host.state.phase).toMatch(/bound|renewing/);
        expect([...host.addresses.keys()]).toHaveLength(1);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('never goes without an address while it moves from one lease to another', () => {
    fc.assert(
      fc.property(fc.array(anyStretch, { minLength: 1, maxLength: 6 }), fc.integer(), (stretches, seed) => {
        const { host } = run(
          stretches.filter((stretch) => !stretch.incidents.includes('client-restarts')),
          seed,
        );
        expect(host.wasEverBare).toBe(false);
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('goes every way that its table names, and no other', () => {
    const visited = new Map<string, Set<string>>();
    const stories = [...rare, ...fc.sample(anyStory, { numRuns: 15, seed: 4 })];
    for (const [index, story] of stories.entries()) {
      const { host, watch } = run(story, index);
      host.input({ kind: 'stop' });
      for (const [from, to] of watch.seen) visited.set(from, (visited.get(from) ?? new Set()).union(to));
    }
    for (const [phase, row] of Object.entries(dhcp4Table)) {
      const named = new Set(Object.values(row).flatMap((cell) => cell.to));
      const missing = named
        .difference(visited.get(phase) ?? new Set())
        .difference(new Set([phase, 'stopped']));
      expect([phase, ...missing]).toEqual([phase]);
    }
  }, 60_000);
});
