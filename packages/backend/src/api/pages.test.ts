/** The walks of the daemon over as many leases as its own limits know of: 0, 1, 1000, 1001 and 5001. */
import { expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { ApiBench } from '../testing/api-bench.ts';
import { failure, leaseId, newLease } from '../testing/leases.ts';

function failedLease(n: number): Lease {
  const { lastRelease, ...identity } = newLease({ uuid: leaseId(n), allocations: [] });
  return { ...identity, status: 'failed', createdAtMs: 0, failCount: 1, failure: failure(), lastRelease };
}

interface Page {
  readonly provisions: readonly { readonly lease_uuid: string }[];
  readonly continue?: string;
}

it('walks over all leases, page by page, each once and in order', async () => {
  await using bench = await ApiBench.start();
  const { book } = bench.host;
  const page = async (query: string): Promise<Page> =>
    (await bench.call('GET', `/provisions${query}`)).body as Page;
  const walk = async (limit: number): Promise<{ ids: string[]; pages: number }> => {
    const ids: string[] = [];
    for (let cursor = '', pages = 1; ; pages++) {
      const { provisions, continue: next } = await page(
        cursor === '' ? `?limit=${limit}` : `?continue=${cursor}&limit=${limit}`,
      );
      ids.push(...provisions.map(({ lease_uuid: uuid }) => uuid));
      if (next === undefined) return { ids, pages };
      expect(next > cursor && next === ids.at(-1)).toBe(true);
      cursor = next;
    }
  };
  let stored = 0;
  for (const [count, pages] of [
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [5001, 6],
  ] as const) {
    const more = Array.from({ length: count - stored }, (_, n) => failedLease(stored + n));
    await Promise.all(more.map((lease) => book.commit({ uuid: lease.uuid, lease, nowMs: 0 })));
    stored = count;
    const all = Array.from({ length: count }, (_, n) => leaseId(n));
    expect(await walk(1000)).toEqual({ ids: all, pages });
  }
  // More than 5000 are never in one page, and all are there without a limit.
  const widest = await page('?limit=9999');
  expect([widest.provisions.length, widest.continue]).toEqual([5000, leaseId(4999)]);
  expect((await page('')).provisions).toHaveLength(5001);
  // What comes and goes between two pages disturbs none of the others.
  await book.commit({ uuid: leaseId(1500), lease: undefined, nowMs: 0 });
  const after = await page(`?continue=${leaseId(1499)}&limit=2`);
  expect(after.provisions.map(({ lease_uuid: uuid }) => uuid)).toEqual([leaseId(1501), leaseId(1502)]);
  expect((await page(`?continue=${leaseId(1500)}&limit=1`)).provisions[0]?.lease_uuid).toBe(leaseId(1501));
});
