import type { Netns } from '@berth/kernel/netns';
import { Network } from '@berth/kernel/network';
import { freshNamespace, inside, ip, ipJson, until } from '@berth/kernel/testing';
import { type Clock, Scope, VirtualClock } from '@berth/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceAnchorSettings } from '../config/settings.ts';
import { Arrangement } from '../routes/arrangement.ts';
import { watchNetwork } from '../routes/watch-network.ts';
import { testParts } from '../testing/program.ts';
import { type ResolveName, ServiceAnchor } from './service-anchor.ts';

let namespace: Netns;
let scope: Scope;
let parts: ReturnType<typeof testParts>;
let ready: number;

beforeEach(() => {
  namespace = freshNamespace('service');
  ip(namespace, 'link add eth0 type veth peer name away');
  ip(namespace, 'link set eth0 up');
  ip(namespace, 'link set away up');
  // The other end of the cable is no interface of the service.
  inside(namespace, 'sysctl', '-qw', 'net.ipv6.conf.away.disable_ipv6=1');
  ip(namespace, 'addr add 172.30.0.5/24 dev eth0');
  ip(namespace, 'addr add fd30::5/64 dev eth0 nodad');
  scope = new Scope('test', (error) => {
    throw error;
  });
  parts = testParts();
  ready = 0;
});
afterEach(async () => {
  await scope.close();
  namespace[Symbol.dispose]();
});

interface How {
  readonly resolve?: ResolveName;
  readonly clock?: Clock;
  /** Ends like a process that is killed: nothing is cleaned up. */
  readonly killed?: boolean;
}

const run = (
  env: Readonly<Record<string, string>>,
  { resolve = async () => [], killed = false, clock = parts.clock }: How = {},
) => {
  const child = scope.child('run');
  const network = child.own(Network.open(namespace));
  const arrangement = new Arrangement({ clock });
  const anchor = new ServiceAnchor(serviceAnchorSettings(env), {
    ...parts,
    clock,
    arrangement,
    network,
    resolve,
    onReady: () => {
      ready += 1;
    },
  });
  if (!killed) child.defer(() => anchor.stop());
  watchNetwork(child, parts, { watched: ['links', 'addresses', 'routes'], namespace }, (event) => {
    arrangement.hear(event);
    if (event.kind === 'resync' || event.by !== network.portId) anchor.kernelChanged();
  });
  child.spawn('anchor', (signal) => anchor.run(signal));
  return child;
};

const defaults = (family: 4 | 6 = 4) =>
  ipJson(namespace, `-${family} route show default`).map(({ gateway, metric }) => ({ gateway, metric }));
const gateways = (family: 4 | 6 = 4) => defaults(family).map(({ gateway }) => gateway);

const bothFamilies = { ANCHORD_GATEWAY_IP: '172.30.0.2,fd30::2' };

describe('service-anchor', () => {
  it('installs the default routes of both families and is ready', async () => {
    run(bothFamilies);
    await until('both default routes', () => gateways().length === 1 && gateways(6).length === 1);
    expect([gateways(), gateways(6)]).toEqual([['172.30.0.2'], ['fd30::2']]);
    expect(ready).toBeGreaterThan(0);
    expect(parts.recording.attrsOf('default route updated')).toEqual([
      { family: 'v4', gateway: '172.30.0.2', reason: 'missing', prev: '' },
      { family: 'v6', gateway: 'fd30::2', reason: 'missing', prev: '' },
    ]);
    expect(parts.metrics.defaultRoutePresent.value({ family: 'v6' })).toBe(1);
    expect(parts.metrics.gatewayReplaces.value({ family: 'v4' })).toBe(1);
  });

  it('follows the name of its gateway, family by family, and keeps what it has when the name fails', async () => {
    let answers: readonly string[] | Error = ['172.30.0.2', 'fd30::2'];
    const resolve = async () => {
      if (answers instanceof Error) throw answers;
      return answers;
    };
    run({ ANCHORD_GATEWAY_RESOLVE_INTERVAL: '20ms' }, { resolve });
    await until('the first gateways', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    answers = ['172.30.0.9'];
    await until('the next gateway', () => gateways()[0] === '172.30.0.9');
    expect(gateways(6)).toEqual(['fd30::2']);
    expect(parts.metrics.gatewayResolves.value({ family: 'v6', outcome: 'error' })).toBeGreaterThan(0);
    answers = new Error('no such host');
    await until('a failed look-up', () => parts.problems.of('gateway-unresolved').length === 1);
    expect(gateways()).toEqual(['172.30.0.9']);
    expect(parts.recording.messages('warn')).toEqual(['gateway DNS lookup failed']);
  });

  it('repairs while the name of its gateway is looked up, and the resolver hangs', async () => {
    const clock = new VirtualClock();
    let lookUps = 0;
    const resolve = () => {
      lookUps += 1;
      return lookUps === 1 ? Promise.resolve(['172.30.0.2']) : new Promise<never>(() => undefined);
    };
    run({}, { resolve, clock });
    await until('the route', () => gateways()[0] === '172.30.0.2');
    await clock.advance(5_000);
    expect(lookUps).toBe(2);
    ip(namespace, 'route del default');
    await until('the route again', () => gateways()[0] === '172.30.0.2');
    // The time of the look-up has stood still.
    expect(parts.recording.messages('warn')).toEqual([]);
    await clock.advance(5_000);
    expect(parts.recording.attrsOf('gateway DNS lookup failed')).toMatchObject([
      { err: 'no answer for anchord within 5s' },
    ]);
  });

  it('is not in the way of an engine that attaches a network: it adds an interface, and its default route last', async () => {
    run(bothFamilies);
    await until('the route', () => gateways()[0] === '172.30.0.2');
    ip(namespace, 'link add eth1 type veth peer name far');
    ip(namespace, 'addr add 172.31.0.5/24 dev eth1');
    ip(namespace, 'link set eth1 up');
    ip(namespace, 'route del default');
    // Refused if there were one already.
    ip(namespace, 'route add default via 172.30.0.1');
    await until('our route instead', () => gateways()[0] === '172.30.0.2');
    expect(gateways()).toEqual(['172.30.0.2']);
  });

  it('puts a deleted default route back at once, with the reason', async () => {
    // Nothing but word of the kernel lets it look again.
    run({ ...bothFamilies, ANCHORD_GATEWAY_RESOLVE_INTERVAL: '1h' });
    await until('the route', () => gateways()[0] === '172.30.0.2');
    parts.recording.clear();
    ip(namespace, 'route del default');
    await until('the route again', () => gateways()[0] === '172.30.0.2');
    expect(parts.recording.attrsOf('default route updated')).toEqual([
      { family: 'v4', gateway: '172.30.0.2', reason: 'missing', prev: '' },
    ]);
  });

  it('takes the place of a default route that somebody else sets, without two of them', async () => {
    run(bothFamilies);
    await until('both routes', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    parts.recording.clear();
    ip(namespace, 'route replace default via 172.30.0.66');
    ip(namespace, '-6 route replace default via fd30::66');
    await until('both routes again', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    expect([gateways(), gateways(6)]).toEqual([['172.30.0.2'], ['fd30::2']]);
    expect(parts.recording.attrsOf('default route updated')).toEqual([
      { family: 'v4', gateway: '172.30.0.2', reason: 'drifted', prev: '172.30.0.66' },
      { family: 'v6', gateway: 'fd30::2', reason: 'drifted', prev: 'fd30::66' },
    ]);
  });

  it('comes back when its interface was down', async () => {
    run(bothFamilies);
    await until('the route', () => gateways()[0] === '172.30.0.2');
    ip(namespace, 'link set eth0 down');
    await until('no route', () => gateways().length === 0);
    ip(namespace, 'link set eth0 up');
    await until('the route again', () => gateways()[0] === '172.30.0.2');
  });

  it('writes nothing while all is as it should be, and counts a route that was there before as its own success', async () => {
    ip(namespace, 'route add default via 172.30.0.2');
    run({ ANCHORD_GATEWAY_IP: '172.30.0.2', ANCHORD_GATEWAY_RESOLVE_INTERVAL: '5ms' });
    await until('readiness, several times over', () => ready > 3);
    expect(parts.metrics.gatewayReplaces.value({ family: 'v4' })).toBe(0);
    expect(parts.metrics.defaultRoutePresent.value({ family: 'v4' })).toBe(1);
    expect(parts.recording.messages('warn')).toEqual([]);
  });

  it('says once that the kernel refuses a gateway, and installs it as soon as that works', async () => {
    run({ ANCHORD_GATEWAY_IP: '10.9.9.9', ANCHORD_GATEWAY_RESOLVE_INTERVAL: '5ms' });
    await until('a refusal', () => parts.problems.of('default-route-refused').length === 1);
    ip(namespace, 'addr add 10.9.9.5/24 dev eth0');
    await until('the route', () => gateways()[0] === '10.9.9.9');
    expect(parts.recording.messages('warn')).toEqual(['default route install failed']);
    expect(parts.problems.list()).toEqual([]);
  });

  it('reaches a link-local gateway through the only interface', async () => {
    run({ ANCHORD_GATEWAY_IP: 'fe80::1' });
    await until('the route', () => gateways(6)[0] === 'fe80::1');
  });

  it('gives up repairing at once when somebody undoes it at once, but for the regular look', async () => {
    run({ ...bothFamilies, ANCHORD_GATEWAY_RESOLVE_INTERVAL: '1h' });
    await until('the route', () => gateways()[0] === '172.30.0.2');
    const started = performance.now();
    let undone = 0;
    const left = () => {
      ip(namespace, 'route flush exact default');
      undone += 1;
      return undone > 60;
    };
    await until('many removals', left);
    const repairs = parts.metrics.gatewayReplaces.value({ family: 'v4' });
    expect(repairs).toBeGreaterThan(5);
    // Twenty, two more a second, and the first of all.
    expect(repairs).toBeLessThanOrEqual(21 + (2 * (performance.now() - started)) / 1_000);
  });
});

describe('service-anchor in the namespace of somebody else', () => {
  const original = () => {
    ip(namespace, 'addr add 10.1.0.5/24 dev eth0');
    ip(namespace, 'route add default via 10.1.0.1 dev eth0 src 10.1.0.5');
    ip(namespace, '-6 route add default via fd30::1 dev eth0 metric 77');
  };

  /** Every default route of every table: what `ip` prints of it, to the last word. */
  const defaultsOfAllTables = () =>
    inside(namespace, 'ip', 'route', 'show', 'table', 'all')
      .split('\n')
      .filter((line) => line.startsWith('default'));
  let before: readonly string[];
  beforeEach(() => {
    original();
    before = defaultsOfAllTables();
  });

  it('gives the original routes back when it stops, exactly as they were', async () => {
    const child = run(bothFamilies);
    await until('both routes', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    expect(parts.recording.attrsOf('recorded existing default route for restore on shutdown')).toEqual([
      { family: 'v4', gateway: '10.1.0.1' },
      { family: 'v6', gateway: 'fd30::1' },
    ]);
    await child.close();
    expect(defaultsOfAllTables()).toEqual(before);
    expect(parts.recording.attrsOf('restored original default route on shutdown')).toHaveLength(2);
    expect(parts.metrics.defaultRoutePresent.value({ family: 'v4' })).toBe(0);
  });

  it('gives them back after a run before it was killed hard', async () => {
    const killed = run(bothFamilies, { killed: true });
    await until('both routes', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    await killed.close();
    expect([gateways(), gateways(6)]).toEqual([['172.30.0.2'], ['fd30::2']]);
    const next = run(bothFamilies);
    await until('the run after it', () =>
      parts.recording
        .messages()
        .includes('default route of an earlier run found; keeping the original it replaced'),
    );
    await next.close();
    expect(defaultsOfAllTables()).toEqual(before);
  });
});

describe('service-anchor in a namespace of its own', () => {
  it('only takes its routes away when it stops', async () => {
    const child = run(bothFamilies);
    await until('both routes', () => gateways()[0] === '172.30.0.2' && gateways(6)[0] === 'fd30::2');
    await child.close();
    expect([gateways(), gateways(6)]).toEqual([[], []]);
    expect(parts.recording.attrsOf('default route removed')).toHaveLength(2);
    expect(parts.recording.attrsOf('restored original default route on shutdown')).toEqual([]);
  });
});
