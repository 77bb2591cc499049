import { describe, expect, it } from 'vitest';
import type { HistoryChange } from '../lease/index.ts';
import { storeFolder } from '../testing/store-folder.ts';
import { ReleaseStore } from './releases.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const day = 24 * 3600_000;

function opened() {
  const folder = storeFolder();
  const store = new ReleaseStore(folder.path('releases.db'));
  const apply = (at: number, ...changes: HistoryChange[]) =>
    store.file.transaction(() => store.apply('lease', changes, at));
  const shown = () => store.list('lease').map(({ version, status }) => `${version} ${status}`);
  const dispose = () => {
    store.file.close();
    folder[Symbol.dispose]();
  };
  return { store, apply, shown, path: folder.path('releases.db'), [Symbol.dispose]: dispose };
}

const staged: HistoryChange = { kind: 'stage', manifest: bytes('first') };
const append = (version: number, text: string): HistoryChange => ({
  kind: 'append',
  version,
  manifest: bytes(text),
});

describe('the release history', () => {
  it('shows nothing of a manifest before its first success', () => {
    using history = opened();
    history.apply(1, staged);
    expect(history.shown()).toEqual([]);
    expect(history.store.highestVersion('lease')).toBe(0);
    expect(history.store.manifest('lease', 0)).toEqual(bytes('first'));
    history.apply(2, { kind: 'activateStaged', version: 1 });
    expect(history.store.list('lease')).toEqual([
      { version: 1, status: 'active', createdAtMs: 2, manifest: bytes('first') },
    ]);
    expect(history.store.manifest('lease', 0)).toBeUndefined();
  });

  it('has one active release at any time', () => {
    using history = opened();
    history.apply(1, staged, { kind: 'activateStaged', version: 1 }, append(2, 'second'));
    expect(history.shown()).toEqual(['1 active', '2 deploying']);
    history.apply(2, { kind: 'activate', version: 2 });
    history.apply(3, append(3, 'third'), {
      kind: 'fail',
      version: 3,
      reason: 'ImagePullFailed',
      message: 'image pull failed',
    });
    expect(history.shown()).toEqual(['1 superseded', '2 active', '3 failed']);
    expect(history.store.list('lease')[2]).toMatchObject({
      reason: 'ImagePullFailed',
      message: 'image pull failed',
    });
    expect(history.store.latestActive('lease')?.manifest).toEqual(bytes('second'));
    history.apply(4, staged, { kind: 'activateStaged', version: 4 });
    expect(history.shown()).toEqual(['1 superseded', '2 superseded', '3 failed', '4 active']);
  });

  it('takes the manifest of an earlier release for a restart', () => {
    using history = opened();
    history.apply(1, staged, { kind: 'activateStaged', version: 1 });
    history.apply(2, { kind: 'append', version: 2, manifest: { of: 1 } });
    expect(history.store.manifest('lease', 2)).toEqual(bytes('first'));
    expect(() => history.apply(3, { kind: 'append', version: 3, manifest: { of: 9 } })).toThrow(
      'has no release 9',
    );
  });

  it('ages, but never loses the newest or the active release', () => {
    using history = opened();
    history.apply(0, staged, { kind: 'activateStaged', version: 1 });
    for (const version of [2, 3, 4])
      history.apply(0, append(version, 'x'), {
        kind: 'fail',
        version,
        reason: 'UpdateFailed',
        message: 'update failed',
      });
    expect(history.store.prune(90 * day)).toBe(2);
    expect(history.shown()).toEqual(['1 active', '4 failed']);
    expect(history.store.prune(90 * day)).toBe(0);
  });

  it('keeps a bounded number of releases', () => {
    using history = opened();
    history.apply(0, staged, { kind: 'activateStaged', version: 1 });
    for (let version = 2; version <= 300; version++) history.apply(version, append(version, 'x'));
    const versions = history.store.list('lease').map(({ version }) => version);
    expect(versions).toHaveLength(101);
    expect(versions[0]).toBe(1);
    expect(versions.slice(1)).toEqual(Array.from({ length: 100 }, (_, index) => 201 + index));
  });

  it('forgets on request what waits for its first success, and nothing else', () => {
    using history = opened();
    history.apply(1, staged, append(1, 'second'), { kind: 'activate', version: 1 });
    expect(history.store.manifest('lease', 0)).toEqual(bytes('first'));
    history.apply(2, { kind: 'unstage' });
    expect(history.store.manifest('lease', 0)).toBeUndefined();
    expect(history.shown()).toEqual(['1 active']);
  });

  it('ends with the lease, and another lease has its own', () => {
    using history = opened();
    history.apply(1, staged, { kind: 'activateStaged', version: 1 });
    history.store.file.transaction(() => history.store.apply('other', [staged], 1));
    history.apply(2, { kind: 'purge' });
    expect(history.shown()).toEqual([]);
    expect(history.store.manifest('other', 0)).toEqual(bytes('first'));
  });

  it('changes together with the lease record, or not at all', () => {
    using history = opened();
    expect(() =>
      history.store.file.transaction(() => {
        history.store.leases.putState('lease', '{"a":1}', undefined);
        history.store.apply('lease', [{ kind: 'append', version: 2, manifest: { of: 1 } }], 1);
      }),
    ).toThrow();
    expect([...history.store.leases.all()]).toEqual([]);
  });
});
