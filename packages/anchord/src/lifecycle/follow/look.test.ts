/** Who the follower is, and how it stands with the network, from what Docker tells. */
import { engineErrors } from '@berth/engine';
import { describe, expect, it } from 'vitest';
import { ofProject } from '../../testing/life.ts';
import { type SimContainer, SimHost } from '../../testing/sim-host.ts';
import { type FollowDoor, lookAtFollower } from './look.ts';

const own = ofProject('own', 'mail');
const peer = { 'com.docker.compose.project': 'peer' };
const networkId = 'a'.repeat(64);
const earlierId = 'b'.repeat(64);
const { signal } = new AbortController();

interface Stage {
  readonly host: SimHost;
  /** Ids, as the network tells them. */
  members: readonly string[];
  /** What each container remembers of the network: its id, and whether it has an endpoint there. */
  readonly attached: Map<string, { readonly networkId: string; readonly endpointId: string | undefined }>;
  labels: Readonly<Record<string, string>>;
  failing: 'network' | 'list' | 'inspect' | undefined;
}

const stage = (): Stage => ({
  host: new SimHost(),
  members: [],
  attached: new Map(),
  labels: peer,
  failing: undefined,
});

function doorOf(stage: Stage): FollowDoor {
  const { containers } = stage.host.door();
  const mayFail = (what: Stage['failing']): void => {
    if (stage.failing === what) throw engineErrors.error('ENGINE_CONNECTION_LOST', 'no answer');
  };
  const endpoint = { mac: undefined, ipv4: undefined, ipv6: undefined };
  return {
    containers: {
      restart: () => Promise.reject(new Error('nobody is to be restarted by a look')),
      list: async (query) => {
        mayFail('list');
        return await containers.list(query);
      },
      inspect: async (ref) => {
        mayFail('inspect');
        const details = await containers.inspect(ref);
        const known = stage.attached.get(details.name);
        const [any] = Object.values(details.attachments);
        if (known === undefined || any === undefined) return { ...details, attachments: {} };
        return { ...details, attachments: { peer: { ...any, ...known } } };
      },
    },
    networks: {
      connect: () => Promise.reject(new Error('nobody is to be attached by a look')),
      disconnect: () => Promise.reject(new Error('nobody is to be detached by a look')),
      inspect: async () => {
        mayFail('network');
        return {
          ...{ id: networkId, name: 'peer', driver: 'bridge', scope: 'local', internal: false, ipv6: false },
          ...{ labels: stage.labels, options: {}, pools: [] },
          members: Object.fromEntries(
            stage.members.map((id) => [id, { name: '', endpointId: '', ...endpoint }]),
          ),
        };
      },
    },
  };
}

const look = (on: Stage, target = 'mail', project: string | undefined = 'own') =>
  lookAtFollower(doorOf(on), { network: 'peer', target, project }, signal);

async function followerOf(on: Stage, target?: string, project?: string): Promise<string | undefined> {
  const seen = await look(on, target, project);
  return seen.kind === 'seen' ? seen.follower.name : undefined;
}

async function membershipOf(on: Stage) {
  const seen = await look(on);
  if (seen.kind !== 'seen') throw new Error(seen.kind);
  return seen.membership;
}

const run = ({ host }: Stage, name: string, more: Partial<SimContainer> = {}): SimContainer => {
  const made = host.make(name, more);
  host.start(made);
  return made;
};

describe('the follower', () => {
  it('is a service of our project before a container of that name, and who runs before who does not', async () => {
    const on = stage();
    run(on, 'mail');
    expect(await followerOf(on)).toBe('mail');
    on.host.make('own-mail-1', { labels: own });
    expect(await followerOf(on)).toBe('own-mail-1');
    run(on, 'own-mail-2', { labels: own });
    expect(await followerOf(on)).toBe('own-mail-2');
    expect(
      await lookAtFollower(doorOf(on), { network: 'peer', target: 'mail', project: undefined }, signal),
    ).toMatchObject({ follower: { name: 'mail' } });
  });

  it('is nobody of another project, no run by hand, and found by a name with a slash', async () => {
    const on = stage();
    run(on, 'other-mail-1', { labels: ofProject('other', 'mail') });
    run(on, 'own-mail-run', { labels: { ...own, 'com.docker.compose.oneoff': 'True' } });
    expect((await look(on)).kind).toBe('no follower');
    run(on, 'post');
    expect(await followerOf(on, '/post')).toBe('post');
  });
});

describe('how the follower stands with the network', () => {
  it('is told by the members, whole or by the beginning of an id', async () => {
    const on = stage();
    const { id } = run(on, 'mail', { labels: own });
    const stranger = 'c'.repeat(64);
    expect(await membershipOf(on)).toMatchObject({ attached: false, foreign: 0 });
    on.members = [id, stranger];
    expect(await membershipOf(on)).toMatchObject({ networkId, attached: true, foreign: 1 });
    on.members = [id.slice(0, 12), stranger];
    expect(await membershipOf(on)).toMatchObject({ attached: true, foreign: 1 });
    on.members = [id.slice(0, 11)];
    expect(await membershipOf(on)).toMatchObject({ attached: false, foreign: 1 });
  });

  it('does not count fellows of its own project among the others: they are guests as well', async () => {
    const on = stage();
    const { id } = run(on, 'mail', { labels: own });
    const fellow = run(on, 'web', { labels: ofProject('own', 'web') });
    const host = run(on, 'ldap', { labels: peer });
    on.members = [id, fellow.id];
    expect((await membershipOf(on)).foreign).toBe(0);
    on.members = [id, fellow.id, host.id];
    expect((await membershipOf(on)).foreign).toBe(1);
  });

  it('is attached, too, where it does not run and will be on it at its next start', async () => {
    const on = stage();
    const mail = on.host.make('mail', { labels: own });
    on.attached.set('mail', { networkId, endpointId: undefined });
    expect(await membershipOf(on)).toMatchObject({ attached: true, storedId: networkId });
    on.attached.set('mail', { networkId: earlierId, endpointId: undefined });
    expect(await membershipOf(on)).toMatchObject({ attached: false, storedId: earlierId });
    on.host.start(mail);
    on.attached.set('mail', { networkId, endpointId: undefined });
    expect((await membershipOf(on)).attached).toBe(false);
    on.attached.set('mail', { networkId, endpointId: 'e' });
    expect((await membershipOf(on)).attached).toBe(true);
  });

  it('is abandoned by a project of Compose that has no container any more', async () => {
    const on = stage();
    run(on, 'mail', { labels: own });
    expect((await membershipOf(on)).abandoned).toBe(true);
    const ldap = on.host.make('ldap', { labels: peer });
    expect((await membershipOf(on)).abandoned).toBe(false);
    on.host.remove(ldap);
    on.labels = {};
    expect((await membershipOf(on)).abandoned).toBe(false);
    on.labels = { 'com.docker.compose.project': 'own' };
    expect((await membershipOf(on)).abandoned).toBe(false);
  });
});

describe('a look that does not get to its end', () => {
  it('says at which question Docker did not answer', async () => {
    const on = stage();
    run(on, 'mail', { labels: own });
    const kinds: string[] = [];
    for (const failing of ['network', 'list', 'inspect', undefined] as const) {
      on.failing = failing;
      kinds.push((await look(on)).kind);
    }
    expect(kinds).toEqual(['no network', 'no list', 'no inspection', 'seen']);
  });
});
