/** What an external-rebinder does when Docker refuses something, and what it says of it; its decisions are shown by themselves. */
import { type EngineErrorCode, engineErrors } from '@berth/engine';
import { describe, expect, it } from 'vitest';
import { testParts } from '../../testing/program.ts';
import { SimPeer } from '../../testing/sim-peer.ts';
import type { Asked, AskedStore } from './asked-store.ts';
import type { FollowDoor } from './look.ts';
import { ExternalRebinder } from './rebinder.ts';

const { signal } = new AbortController();
const retrying = 'reattach: connect hit address-in-use; target still assigning IPs, retrying after backoff';

type Connect = FollowDoor['networks']['connect'];
type Endpoint = NonNullable<Parameters<Connect>[2]>;

const refuse = (code: EngineErrorCode): Promise<never> => Promise.reject(engineErrors.error(code, code));

/** The other stack is up with two containers, and the follower is off its network. */
interface Changes {
  readonly restart?: boolean;
  readonly most?: number;
  readonly store?: AskedStore;
}

function stage(changes: Changes = {}) {
  const peer = new SimPeer(() => 0.5);
  const parts = testParts();
  const { recording, problems, registry } = parts;
  const door = peer.door();
  const asked: { readonly network: string; readonly endpoint: Endpoint }[] = [];
  const on = {
    peer,
    recording,
    problems,
    registry,
    asked,
    attach: (async (...args) => await door.networks.connect(...args)) as Connect,
    detach: door.networks.disconnect,
    restart: door.containers.restart,
    inspect: door.containers.inspect,
    list: door.containers.list,
  };
  const rebinder = new ExternalRebinder(
    {
      network: 'peer',
      target: 'mail',
      project: undefined,
      restart: changes.restart ?? false,
      backoffMs: 2_000,
    },
    {
      ...parts,
      clock: peer.clock,
      limits: { most: changes.most ?? 10 },
      ...(changes.store === undefined ? {} : { store: changes.store }),
      door: {
        containers: {
          list: (...args) => on.list(...args),
          inspect: (...args) => on.inspect(...args),
          restart: (...args) => on.restart(...args),
        },
        networks: {
          inspect: door.networks.inspect,
          connect: (network, container, endpoint = {}, ...rest) => {
            asked.push({ network, endpoint });
            return on.attach(network, container, endpoint, ...rest);
          },
          disconnect: (...args) => on.detach(...args),
        },
      },
    },
  );
  for (let count = 0; count < 2; count++) peer.up();
  return { ...on, on, rebinder, look: () => rebinder.act('poll', signal) };
}

describe('attaching the follower', () => {
  it('is tried four times while addresses are being given out, on the network as it is by then', async () => {
    const { on, peer, rebinder, recording, asked, look, problems } = stage();
    let attempts = 0;
    const { attach } = on;
    on.attach = async (...args) => {
      attempts += 1;
      if (attempts > 3) return await attach(...args);
      // The other stack goes down and comes up once more.
      while (peer.others > 0) peer.leave();
      peer.remove();
      peer.up();
      return await refuse('ENGINE_ADDRESS_IN_USE');
    };
    await look();
    expect(peer.isPinned).toBe(true);
    expect(new Set(asked.map(({ network }) => network)).size).toBe(4);
    expect(recording.attrsOf(retrying)).toEqual(
      [1, 2, 3].map((attempt) => ({ attempt, of: 4, backoff: 2_000_000_000 })),
    );
    expect(rebinder.parked).toBe(false);
    expect(problems.list()).toEqual([]);
  });

  it('is given up after four times, which is a problem until a later look succeeds', async () => {
    const { on, peer, recording, asked, look, problems, registry } = stage();
    const { attach } = on;
    on.attach = () => refuse('ENGINE_ADDRESS_IN_USE');
    await look();
    expect(asked).toHaveLength(4);
    expect(recording.attrsOf(retrying)).toHaveLength(3);
    expect(recording.attrsOf('reattach: connect failed')).toMatchObject([
      { network: 'peer', source: 'poll' },
    ]);
    expect(problems.list()).toMatchObject([{ code: 'follower-detached', subject: 'mail' }]);
    expect(registry.expose()).toContain(
      'anchord_lifecycle_actions_total{action="reattach",outcome="error"} 1\n',
    );
    on.attach = attach;
    await look();
    expect(peer.isPinned).toBe(true);
    expect(problems.list()).toEqual([]);
  });

  it('is not tried again for what a wait does not cure', async () => {
    const { on, asked, look } = stage();
    on.attach = () => refuse('ENGINE_CONNECTION_LOST');
    await look();
    expect(asked).toHaveLength(1);
  });

  it('goes without a fixed address that does not fit the network any more, and with all the rest', async () => {
    const { on, peer, rebinder, recording, asked, look } = stage();
    peer.join('mail', 'post');
    const { inspect, attach } = on;
    on.inspect = async (...args) => {
      const details = await inspect(...args);
      const [attachment] = Object.values(details.attachments);
      return attachment === undefined
        ? details
        : { ...details, attachments: { peer: { ...attachment, fixedIpv4: '172.29.5.200' } } };
    };
    await rebinder.act('bootstrap', signal);
    while (peer.others > 0) peer.leave();
    await rebinder.act('disconnect', signal);
    peer.up();
    on.attach = (network, container, endpoint = {}) =>
      endpoint.IPAMConfig === undefined ? attach(network, container, endpoint) : refuse('ENGINE_BAD_REQUEST');
    await look();
    expect(asked.map(({ endpoint: { IPAMConfig } }) => IPAMConfig?.IPv4Address)).toEqual([
      '172.29.5.200',
      undefined,
    ]);
    expect(peer.aliases).toEqual(['mail', 'post']);
    expect(recording.messages('warn')).toEqual([
      'reattach: the fixed address does not fit the network any more; connecting without it',
    ]);
  });

  it('gives a follower that was never seen on it the alias that Compose gives', async () => {
    const { on, peer, look } = stage();
    const { inspect } = on;
    on.inspect = async (...args) => ({
      ...(await inspect(...args)),
      labels: { 'com.docker.compose.project': 'own', 'com.docker.compose.service': 'web' },
    });
    await look();
    expect(peer.aliases).toEqual(['web']);
  });

  it('knows after a start of ours, too, what the follower asked for before it was taken off', async () => {
    let kept: Asked | undefined;
    let writes = 0;
    const store: AskedStore = {
      load: () => kept,
      save: (asked) => {
        kept = asked;
        writes += 1;
      },
    };
    const first = stage({ store });
    first.peer.join('mail', 'post');
    for (let look = 0; look < 3; look++) await first.look();
    expect(writes).toBe(1);
    const next = stage({ store });
    await next.look();
    expect(next.peer.aliases).toEqual(['mail', 'post']);
    for (const other of [{ follower: 'd'.repeat(64) }, { network: 'another' }]) {
      const { peer, look } = stage({ store: { ...store, load: () => kept && { ...kept, ...other } } });
      await look();
      expect(peer.aliases).toEqual([]);
    }
  });

  it('goes on where that can not be written down, and says so', async () => {
    const full = (): never => {
      throw new Error('read-only file system');
    };
    const { peer, rebinder, recording, look } = stage({ store: { load: () => undefined, save: full } });
    peer.join('mail', 'post');
    for (let count = 0; count < 3; count++) await look();
    expect(recording.messages('warn')).toEqual(['what the follower had asked for can not be written down']);
    while (peer.others > 0) peer.leave();
    await rebinder.act('disconnect', signal);
    peer.up();
    await rebinder.act('connect', signal);
    expect(peer.aliases).toEqual(['mail', 'post']);
  });

  it('ends in a restart where that is wanted, and says so when it fails', async () => {
    for (const [restart, fails, words] of [
      [false, false, []],
      [true, false, ['reattach: follower restarted']],
      [true, true, ['reattach: follower restart failed']],
    ] as const) {
      const { on, recording, look, peer } = stage({ restart });
      const restarted: unknown[][] = [];
      on.restart = async (...args) => {
        restarted.push(args);
        if (fails) await refuse('ENGINE_CONNECTION_LOST');
      };
      await look();
      // The daemon's own time to stop.
      expect(restarted.map((args) => args.length)).toEqual(restart ? [1] : []);
      expect(recording.messages().filter((word) => word.startsWith('reattach: follower restart'))).toEqual(
        words,
      );
      expect(peer.isPinned).toBe(true);
    }
  });

  it('ends in a word and not in a loop where the network comes and goes without end', async () => {
    const { peer, recording, look, rebinder, problems } = stage({ most: 3 });
    for (let storm = 0; storm < 6; storm++) {
      while (peer.others > 0) peer.leave();
      await rebinder.act('disconnect', signal);
      peer.remove();
      peer.up();
      await rebinder.act('create', signal);
    }
    expect(recording.attrsOf('reattach: follower connected to current network ID')).toHaveLength(3);
    expect(recording.attrsOf('too many repairs of one container; holding back')).toMatchObject([
      { container: 'mail', repairs: 3 },
    ]);
    expect(problems.list()).toMatchObject([{ code: 'repairs-held-back', subject: 'mail' }]);
    peer.clock.after(600_000, () => undefined);
    await Promise.resolve();
    await look();
    expect(peer.isPinned).toBe(true);
    expect(problems.list()).toEqual([]);
  });
});

describe('taking the follower off', () => {
  it('is tried again when it failed, and the follower counts as on the network until then', async () => {
    const { on, peer, rebinder, recording, look } = stage();
    peer.join();
    await rebinder.act('bootstrap', signal);
    while (peer.others > 0) peer.leave();
    const { detach } = on;
    on.detach = () => refuse('ENGINE_CONNECTION_LOST');
    await rebinder.act('disconnect', signal);
    expect(rebinder.parked).toBe(false);
    expect(recording.messages('warn')).toEqual(['park: disconnect of sole-remaining follower failed']);
    on.detach = detach;
    await look();
    expect(peer.isPinned).toBe(false);
    expect(rebinder.parked).toBe(true);
    expect(recording.attrsOf('park: released follower to unblock target network teardown')).toEqual([
      { network: 'peer', reason: 'sole-remaining-endpoint' },
    ]);
  });

  it('is no failure where it is off already', async () => {
    const { on, peer, rebinder, recording } = stage();
    peer.join();
    await rebinder.act('bootstrap', signal);
    while (peer.others > 0) peer.leave();
    on.detach = () => refuse('ENGINE_NOT_ATTACHED');
    await rebinder.act('disconnect', signal);
    expect(rebinder.parked).toBe(true);
    expect(recording.messages('warn')).toEqual([]);
  });
});

describe('what can not be seen', () => {
  it('changes nothing that is known', async () => {
    const { on, peer, rebinder, recording, look } = stage();
    peer.join();
    await rebinder.act('bootstrap', signal);
    const { list } = on;
    on.list = () => refuse('ENGINE_CONNECTION_LOST');
    await look();
    await rebinder.act('disconnect', signal);
    expect(rebinder.parked).toBe(false);
    on.list = list;
    await look();
    expect(recording.messages()).toEqual([
      'bootstrap recheck: follower already attached to current network ID',
    ]);
  });

  it('ends the waiting for the other stack: the next event begins it anew', async () => {
    const { peer, rebinder, recording } = stage();
    peer.onLook = () => {
      while (peer.others > 0) peer.leave();
      peer.remove();
    };
    await rebinder.act('create', signal);
    expect(recording.messages()).toEqual([
      'target network created; waiting for target stack to settle before reattach',
      'settle aborted: target network not inspectable mid-settle; awaiting next event',
    ]);
    expect(peer.follower).toBeUndefined();
  });
});
