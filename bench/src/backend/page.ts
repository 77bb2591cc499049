/** Pages of 1,000 leases: what one costs must not depend on how many there are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GroupCommit, type Lease, LeaseBook, liveInfo, ReleaseStore, transition } from '@berth/backend';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { timingRow } from '../harness/bench-case.ts';
import { measure } from '../harness/measure.ts';
import { leaseParts, uuidOf } from './leases.ts';

const pageSize = 1000;

/** Keys come in any order, as leases do. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, n) => n);
  let seed = 42;
  for (let at = count - 1; at > 0; at--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    const other = seed % (at + 1);
    [numbers[at], numbers[other]] = [numbers[other] ?? 0, numbers[at] ?? 0];
  }
  return numbers;
}

function leaseOf(n: number): Lease {
  const { lease, manifest } = leaseParts(uuidOf(n));
  const made = transition(undefined, { name: 'ProvisionRequested', operationId: 'x', lease, manifest }, n);
  if (typeof made === 'string' || made.lease === undefined) throw new Error('no lease');
  return made.lease;
}

export const page: BenchCase = {
  name: 'lease-page',
  about: 'A page of 1,000 provisions out of many, as JSON; beside sorting all of them for each page.',
  unit: 'ms a page',
  needsRoot: false,
  async run({ scope, quick, say }) {
    const rows: Row[] = [];
    for (const count of quick ? [1000, 10_000] : [1000, 10_000, 100_000]) {
      await using part = scope.child(`${count} leases`);
      const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
      part.defer(() => rmSync(folder, { recursive: true, force: true }));
      const store = new ReleaseStore(join(folder, 'releases.db'));
      part.defer(() => store.file.close());
      const book = new LeaseBook(store, new GroupCommit(store.file));
      say(`storing ${count} leases`);
      const leases = shuffled(count).map(leaseOf);
      await Promise.all(leases.map((lease) => book.commit({ uuid: lease.uuid, lease, nowMs: 0 })));

      let cursor = '';
      const rounds = quick ? 50 : 500;
      const ours = await measure({ rounds, withinMs: 60_000 }, () => {
        const { leases: found, next } = book.page(cursor, pageSize);
        JSON.stringify({ provisions: found.map(liveInfo), continue: next });
        cursor = next ?? '';
      });
      const work = `1000 of ${count} leases`;
      rows.push(timingRow(work, 'berth, ordered index', ours));

      let after = '';
      const sorting = await measure({ rounds: quick ? 10 : 50, withinMs: 60_000 }, () => {
        const all = [...leases].sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
        const found = all.filter(({ uuid }) => uuid > after).slice(0, pageSize);
        JSON.stringify({ provisions: found.map(liveInfo) });
        after = found.length < pageSize ? '' : (found.at(-1)?.uuid ?? '');
      });
      rows.push(timingRow(work, 'sorting all of them', sorting));
    }
    return rows;
  },
};
