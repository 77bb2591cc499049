import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { RootIdentity } from './root-identity.ts';

function memory(id?: string) {
  let known = id;
  return {
    get: () => known,
    set: (next: string) => {
      known = next;
    },
  };
}

/** The root of a test: a folder in which the identity leaves its files. */
function agree(root: string, backend: string, known: ReturnType<typeof memory>, populated: boolean): void {
  using identity = new RootIdentity(root);
  identity.agree(backend, known, populated);
}

describe('the volume root', () => {
  const taken = expect.objectContaining({ code: 'volume_root_taken' });

  it('is known again, also when the backend has lost what it knew', () => {
    using folder = storeFolder();
    const [root, known] = [folder.path(''), memory()];
    agree(root, 'docker', known, false);
    const first = known.get();
    agree(root, 'docker', known, false);
    expect(known.get()).toBe(first);
    const lost = memory();
    agree(root, 'docker', lost, true);
    expect(lost.get()).toBe(first);
  });

  it('is not the empty folder in its place', () => {
    using folder = storeFolder();
    expect(() => agree(folder.path(''), 'docker', memory('another'), false)).toThrow(taken);
    // Looked at again, it is still none.
    expect(() => agree(folder.path(''), 'docker', memory('another'), false)).toThrow(taken);
  });

  it('of before there were identities is taken for what it is: it has volumes', () => {
    using folder = storeFolder();
    const known = memory('lost with its file');
    agree(folder.path(''), 'docker', known, true);
    expect(known.get()).not.toBe('lost with its file');
  });

  it('of another backend is left alone, and one that is in use, too', () => {
    using folder = storeFolder();
    agree(folder.path(''), 'docker', memory(), false);
    expect(() => agree(folder.path(''), 'other', memory(), true)).toThrow(taken);
    using held = new RootIdentity(folder.path(''));
    held.demand('docker');
    expect(() => held.demand('other')).toThrow(taken);
    expect(() => new RootIdentity(folder.path(''), 50)).toThrow(
      expect.objectContaining({ code: 'store_in_use' }),
    );
  });
});
