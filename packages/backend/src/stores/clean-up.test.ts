import { expect, it } from 'vitest';
import { cleanUpStores } from './clean-up.ts';

it('cleans up every store, and says which of them could not be', () => {
  const done: string[] = [];
  const failures: unknown[] = [];
  cleanUpStores(
    {
      callback: () => {
        throw new Error('disk full');
      },
      diagnostics: () => void done.push('diagnostics'),
      releases: () => void done.push('releases'),
    },
    (component, error) => failures.push([component, String(error)]),
  );
  expect(done).toEqual(['diagnostics', 'releases']);
  expect(failures).toEqual([['callback', 'Error: disk full']]);
});
