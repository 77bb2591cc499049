/** Weaknesses of earlier anchors that no other test shows: each told by what it led to, and by its number in the decisions. */
import { engineErrors } from '@berth/engine';
import { describe, expect, it } from 'vitest';
import { life, ofProject } from '../testing/life.ts';
import { testParts } from '../testing/program.ts';
import { recipe, simKeeper, simRebinder } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';
import { SimPeer } from '../testing/sim-peer.ts';
import { DeadNamespaceDetector } from './detector.ts';
import { ExternalRebinder } from './follow/rebinder.ts';
import { gatewayDiffers, specOf } from './recipe.ts';
import { projectsOf, selfOf } from './self.ts';
import { sayWhatIsOff } from './switches.ts';
import { WrapRebinder } from './wrap/rebinder.ts';

const { signal } = new AbortController();
const run = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};
const renew = (host: SimHost, name: string): void => {
  host.all.delete(host.find(name).id);
  run(host, name);
};

describe('W-62: a managed service-anchor had an IPv4 gateway only', () => {
  const network = { sharedNetwork: 'transit', sharedNetworkIsGuess: false };
  const endpoint = { networkId: 'n', endpointId: 'e', ipv4: '172.30.0.2', ipv6: 'fd30::2' };
  const rest = {
    mac: undefined,
    gateway: undefined,
    aliases: [],
    links: [],
    driverOptions: {},
    gatewayPriority: undefined,
    fixedIpv4: undefined,
    fixedIpv6: undefined,
    linkLocalAddresses: [],
  };
  const gatewayOf = (addresses: {
    readonly ipv4?: string | undefined;
    readonly ipv6?: string | undefined;
  }) => {
    const attachments = { transit: { ...endpoint, ...rest, ...addresses } };
    const own = { id: 'f'.repeat(64), name: 'edge', image: 'anchord:1', imageId: 'sha256:1', attachments };
    const spec = specOf(recipe, selfOf(own, network));
    if (typeof spec === 'string') throw new Error(spec);
    return spec;
  };

  it('it gets ours of both families, and is made anew when the IPv6 one is another', () => {
    const spec = gatewayOf({});
    expect(spec.env).toContain('ANCHORD_GATEWAY_IP=172.30.0.2,fd30::2');
    expect(gatewayOf({ ipv6: undefined }).env).toContain('ANCHORD_GATEWAY_IP=172.30.0.2');
    expect(gatewayOf({ ipv4: undefined }).env).toContain('ANCHORD_GATEWAY_IP=fd30::2');
    const anchor = life(recipe.name, { look: { lacksOwner: false, restarts: true, env: spec.env } });
    expect(gatewayDiffers(anchor, spec)).toBe(false);
    expect(gatewayDiffers(anchor, gatewayOf({ ipv6: 'fd30::9' }))).toBe(true);
  });
});

describe('W-63: one switch switched off three things, and named one', () => {
  const said = (settings: Parameters<typeof sayWhatIsOff>[1]) => {
    const { recording, log } = testParts();
    sayWhatIsOff(log, settings);
    return recording.messages('warn');
  };

  it('a managed service-anchor and the repair of dependents that are off with it are warned about', () => {
    const off = 'ANCHORD_AUTOSTART_SIBLINGS=false';
    expect(said({ managed: recipe, autofixDeadNetns: true })).toEqual([
      `managed service-anchor recipe is not active (${off})`,
      `dead-netns dependents are only reported (${off})`,
    ]);
    expect(said({ managed: undefined, autofixDeadNetns: false })).toEqual([]);
  });
});

describe('W-64: what an anchor replaced itself, it reported as gone', () => {
  const gone = 'managed service-anchor gone; respawning';

  it('the echo of our own removal is none, and a removal by somebody else is one', async () => {
    const host = new SimHost();
    run(host, 'target');
    const { keeper, recording, rest } = simKeeper(host);
    await rest();
    const hearDestroy = () =>
      keeper.hear({
        type: 'container',
        action: 'destroy',
        id: '',
        attributes: { name: recipe.name },
        at: 0,
        key: '',
      });
    renew(host, 'target');
    await rest();
    hearDestroy();
    await rest();
    expect(recording.messages()).toContain('managed service-anchor needs recreate');
    expect(recording.messages()).not.toContain(gone);
    host.all.delete(host.find(recipe.name).id);
    hearDestroy();
    await rest();
    expect(recording.attrsOf(gone)).toEqual([{ name: recipe.name, target: 'target', reason: 'absent' }]);
  });
});

describe('W-65: beside a wrapped stack, nobody looked at the containers of the wrap stack itself', () => {
  const own = { labels: ofProject('wrap') };
  const detector = (projects: ReadonlySet<string>, host: SimHost) => {
    const parts = testParts();
    const containers = host.door().containers;
    const settings = { projects, intervalMs: 1_000 };
    return { parts, one: new DeadNamespaceDetector(settings, { ...parts, clock: host.clock, containers }) };
  };

  it('both projects are watched, and no third one', async () => {
    expect(projectsOf(own, 'wrapped')).toEqual(new Set(['wrapped', 'wrap']));
    expect(projectsOf({ labels: {} }, 'wrapped')).toEqual(new Set(['wrapped']));
    const host = new SimHost();
    run(host, 'owner');
    for (const project of ['wrapped', 'wrap', 'other'])
      run(host, `${project}-app`, { mode: 'container:owner', labels: ofProject(project) });
    host.all.delete(host.find('owner').id);
    const { parts, one } = detector(projectsOf(own, 'wrapped'), host);
    await one.look(signal);
    const told = parts.recording.attrsOf('dependent in dead netns').map(({ container }) => container);
    expect(told).toEqual(['wrapped-app', 'wrap-app']);
  });

  it('with a label selector it says that it is off, and ends', async () => {
    const { parts, one } = detector(new Set(), new SimHost());
    await one.run(signal);
    expect(parts.recording.messages()).toEqual([
      'dead-netns detector disabled: no compose project scope; run `anchord doctor stale-netns` by hand',
    ]);
  });
});

describe('W-68: who was made anew counted as somebody else, so that nothing held a loop back', () => {
  it('ten re-creations are counted together, however often the ids change, and then it is left alone', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: ofProject('wrap') });
    const parts = testParts();
    const pollMs = 120_000;
    const rebinder = new WrapRebinder(
      { project: 'wrap', selfId: 'f'.repeat(64), actor: 'rebinder', pollMs, graceMs: 1_000 },
      { ...parts, clock: host.clock, door: host.door(), onLooked: () => undefined, random: () => 0.5 },
    );
    const rest = async (): Promise<void> => {
      for (;;) {
        const ms = await rebinder.look('poll', signal);
        if (ms >= pollMs * 0.9) return;
        host.pass(ms);
      }
    };
    await rest();
    const ids = new Set([host.find('web').id]);
    for (let storm = 0; storm < 15; storm++) {
      renew(host, 'target');
      await rest();
      ids.add(host.find('web').id);
    }
    expect(ids.size).toBe(11);
    const held = parts.recording.attrsOf('too many repairs of one container; holding back');
    expect(held).toMatchObject([{ container: 'web', repairs: 10 }]);
  });
});

describe('W-71: Docker said that the follower is attached, and that was taken for a failure', () => {
  it('it is what was wanted', async () => {
    const peer = new SimPeer(() => 0.5);
    peer.up();
    const parts = testParts();
    const door = peer.door();
    const connect: typeof door.networks.connect = async (...args) => {
      await door.networks.connect(...args);
      throw engineErrors.error('ENGINE_ALREADY_ATTACHED', 'mail is already attached to network peer');
    };
    const rebinder = new ExternalRebinder(
      { network: 'peer', target: 'mail', project: undefined, restart: false, backoffMs: 2_000 },
      { ...parts, clock: peer.clock, door: { ...door, networks: { ...door.networks, connect } } },
    );
    await rebinder.act('bootstrap', signal);
    expect(peer.isPinned).toBe(true);
    expect(rebinder.parked).toBe(false);
    expect(parts.recording.messages()).toContain('reattach: follower connected to current network ID');
    expect(parts.recording.messages('warn')).not.toContain('reattach: connect failed');
    expect(parts.problems.list()).toEqual([]);
  });
});

describe('W-74: every start of a target made everybody in the project anew', () => {
  it('who sits where it belongs is not touched, whatever it is', async () => {
    const host = new SimHost();
    run(host, 'target');
    for (const name of ['anchor', 'app'])
      run(host, name, { mode: 'container:target', labels: ofProject('wrap') });
    run(host, 'loner', { labels: ofProject('wrap') });
    const { rebinder, rest } = simRebinder(host);
    await rest();
    for (let echo = 0; echo < 3; echo++) {
      rebinder.hear({
        type: 'container',
        action: 'start',
        id: host.find('target').id,
        attributes: { name: 'target' },
        at: echo,
        key: `${echo}`,
      });
      await rest();
    }
    expect(host.deeds).toEqual([]);
    renew(host, 'target');
    await rest();
    expect(new Set(host.deeds.map(({ container }) => container.name.split('.')[0]))).not.toContain('loner');
    expect(host.find('app').namespace).toBe(host.find('target').namespace);
  });
});
