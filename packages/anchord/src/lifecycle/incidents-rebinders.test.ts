/** What went wrong in the field in 1.3.0 and 1.3.1, told by name, each beside a simple program that ends in that trouble. */
import { resolveContainer, sharedNetworkOf } from '@berth/engine';
import { parseIp } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { planDefaultRoute } from '../routes/default-route.ts';
import { ofProject } from '../testing/life.ts';
import { testParts } from '../testing/program.ts';
import { defaultRoute } from '../testing/routes.ts';
import { simRebinder } from '../testing/sim-anchors.ts';
import { type SimContainer, SimHost } from '../testing/sim-host.ts';
import { SimPeer } from '../testing/sim-peer.ts';
import { ExternalRebinder } from './follow/rebinder.ts';
import { observeContainers } from './observe.ts';

const { signal } = new AbortController();

const run = (host: SimHost, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};
const remove = (host: SimHost, name: string): void => void host.all.delete(host.find(name).id);
const together = (host: SimHost, ...names: readonly string[]): boolean => {
  const [first, ...others] = names.map((name) => host.find(name).namespace);
  return first !== undefined && others.every((namespace) => namespace === first);
};

/** What looked right before start times were looked at: an id that still means somebody. */
async function looksFineByIds(host: SimHost): Promise<boolean> {
  const all = await observeContainers(host.door().containers, signal);
  return all.every(({ networkMode }) => {
    const reference = sharedNetworkOf(networkMode);
    return reference === undefined || resolveContainer(reference, all).kind === 'found';
  });
}

/** Attaches the follower when the network is made, with nothing but its name; what else happens there does not concern it. */
async function naiveFollow(peer: SimPeer, event: string): Promise<void> {
  if (event === 'create') await peer.door().networks.connect(peer.networkId ?? '', 'mail', {});
}

describe('1.3.0: a follower pinned the network of another stack, and took its address when that came back', () => {
  const follow = (peer: SimPeer) =>
    new ExternalRebinder(
      { network: 'peer', target: 'mail', project: undefined, restart: false, backoffMs: 2_000 },
      { ...testParts(), clock: peer.clock, door: peer.door() },
    );

  it('it leaves when it is the last one: Docker refuses to remove the network as long as it stays', async () => {
    const peer = new SimPeer(() => 0.5);
    peer.up();
    peer.join();
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    peer.leave();
    await naiveFollow(peer, 'disconnect');
    peer.remove();
    expect(peer.networkId, 'it is pinned').toBeDefined();
    await rebinder.act('disconnect', signal);
    peer.remove();
    expect(peer.networkId).toBeUndefined();
  });

  it('it comes back when nobody came for three seconds: at once, it would take an address that is meant for another', async () => {
    const peer = new SimPeer(() => 0.5);
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    const naive = new SimPeer(() => 0.5);
    naive.up();
    await naiveFollow(naive, 'create');
    for (let late = 0; late < 4; late++) naive.up();
    expect(naive.othersWhenJoined).toBe(1);
    peer.up();
    let looks = 0;
    peer.onLook = () => {
      looks += 1;
      if (looks <= 4) peer.up();
    };
    await rebinder.act('create', signal);
    expect(peer.othersWhenJoined).toBe(5);
    expect(peer.isPinned).toBe(true);
  });

  it('and it has its aliases again', async () => {
    const peer = new SimPeer(() => 0.5);
    peer.up();
    peer.join('mail', 'post');
    const rebinder = follow(peer);
    await rebinder.act('bootstrap', signal);
    peer.leave();
    await rebinder.act('disconnect', signal);
    peer.up();
    await rebinder.act('connect', signal);
    expect(peer.aliases).toEqual(['mail', 'post']);
    await peer.door().networks.disconnect('peer', 'mail');
    await naiveFollow(peer, 'create');
    expect(peer.aliases).toEqual([]);
  });
});

/** Knows by the references of now who hangs on whom, and forgets who hangs on nobody. */
class NaiveRebinder {
  readonly #host: SimHost;
  #pool = new Map<string, string>();

  constructor(host: SimHost) {
    this.#host = host;
  }

  async poll(): Promise<void> {
    const all = await observeContainers(this.#host.door().containers, signal);
    this.#pool = new Map(
      all.flatMap(({ name, networkMode }) => {
        const owner = resolveContainer(sharedNetworkOf(networkMode) ?? '', all);
        return owner.kind === 'found' ? [[name, owner.container.name] as const] : [];
      }),
    );
  }

  targetStarted(target: string): void {
    const mode = `container:${this.#host.find(target).id}`;
    for (const [name, known] of this.#pool) {
      if (known !== target || this.#host.find(name).mode === mode) continue;
      remove(this.#host, name);
      run(this.#host, name, { mode, labels: ofProject('wrap') });
    }
  }
}

describe('1.3.0: wrap containers lost a target that was away for longer than a poll', () => {
  const wrap = ofProject('wrap');

  it('its name is remembered; by the reference alone nothing leads back to it', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const rebinder = simRebinder(host);
    const naive = new NaiveRebinder(host);
    await rebinder.rest();
    await naive.poll();
    remove(host, 'target');
    for (let poll = 0; poll < 3; poll++) {
      await rebinder.rest();
      await naive.poll();
    }
    run(host, 'target');
    naive.targetStarted('target');
    expect(await looksFineByIds(host)).toBe(false);
    expect(together(host, 'target', 'web')).toBe(false);
    await rebinder.rest();
    expect(together(host, 'target', 'web')).toBe(true);
    const made = host.find('web').id;
    await rebinder.rest();
    expect(host.find('web').id).toBe(made);
  });

  it('and a target that is restarted in place is noticed, though every id still fits', async () => {
    const host = new SimHost();
    run(host, 'target');
    run(host, 'web', { mode: 'container:target', labels: wrap });
    const naive = new NaiveRebinder(host);
    await naive.poll();
    host.restart(host.find('target'));
    naive.targetStarted('target');
    expect(await looksFineByIds(host)).toBe(true);
    expect(together(host, 'target', 'web')).toBe(false);
    await simRebinder(host).rest();
    expect(together(host, 'target', 'web')).toBe(true);
  });
});

/** Compares with what it set last. */
class NaiveRoute {
  #setLast: string | undefined;

  plan(gateway: string): 'replace' | 'keep' {
    const isNew = this.#setLast !== gateway;
    this.#setLast = gateway;
    return isNew ? 'replace' : 'keep';
  }
}

describe('1.3.1: a default route went away while its gateway stayed the same', () => {
  const gateway = parseIp('172.30.0.2');
  const wanted = { gateway, link: 3, onLink: false };

  it('the kernel is asked, not the memory of what was set last', () => {
    const naive = new NaiveRoute();
    expect(naive.plan('172.30.0.2')).toBe('replace');
    // It was removed meanwhile, or leads elsewhere.
    expect(naive.plan('172.30.0.2')).toBe('keep');
    expect(planDefaultRoute('v4', [], wanted)).toMatchObject({ kind: 'replace', reason: 'missing' });
    expect(planDefaultRoute('v4', [defaultRoute('172.30.0.9')], wanted)).toMatchObject({
      kind: 'replace',
      reason: 'drifted',
    });
  });
});
