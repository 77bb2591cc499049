import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Lease } from '../lease/index.ts';
import { newLease } from '../testing/leases.ts';
import { liveInfos } from './wire.ts';

const madeAt = (createdAtMs: number): Lease => ({
  ...newLease(),
  status: 'ready',
  createdAtMs,
  failCount: 0,
});

it('says of each of many leases when it was made, in whatever order they stand', () => {
  const times = fc.array(
    fc.oneof(
      fc.date({ noInvalidDate: true }),
      fc.date({ noInvalidDate: true, min: new Date('2026-11-28'), max: new Date('2026-11-30') }),
    ),
  );
  fc.assert(
    fc.property(times, (dates) => {
      const infos = liveInfos(dates.map((date) => madeAt(date.getTime())));
      expect(infos.map(({ created_at: at }) => at)).toEqual(dates.map((date) => date.toISOString()));
    }),
  );
});
