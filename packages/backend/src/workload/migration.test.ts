import { describe, expect, it } from 'vitest';
import type { LeaseContainer } from './listing.ts';
import { isUnfinished } from './migration.ts';

const container = (more: Partial<LeaseContainer>): LeaseContainer => ({
  id: 'c',
  name: 'fred-x-0',
  status: 'running',
  image: 'nginx',
  lease: 'x',
  tenant: 't',
  provider: 'p',
  sku: 'small',
  service: 'app',
  legacy: false,
  index: 0,
  quantity: 0,
  failCount: 0,
  createdAtMs: 0,
  callbackUrl: '',
  customDomain: '',
  fqdn: undefined,
  operationId: '',
  setAside: false,
  ...more,
});
const old = (index: number, setAside = false) => container({ legacy: true, index, setAside });
const made = (index: number, more: Partial<LeaseContainer> = {}) => container({ index, ...more });

describe('a migration', () => {
  it('is to be done as long as an old container has no successor that was started in its place', () => {
    expect(isUnfinished([old(0)])).toBe(true);
    expect(isUnfinished([old(0, true)]), 'set aside, and nothing there').toBe(true);
    expect(isUnfinished([old(0, true), made(0, { setAside: true })]), 'not in its place yet').toBe(true);
    expect(isUnfinished([old(0, true), made(0, { status: 'created' })]), 'not started').toBe(true);
    expect(isUnfinished([old(0, true), made(0), old(1, true)]), 'one of two').toBe(true);
    expect(isUnfinished([old(0, true), made(0), old(1, true), made(1)])).toBe(false);
    expect(isUnfinished([old(0, true), made(0, { status: 'exited' })]), 'it ended since').toBe(false);
    expect(isUnfinished([made(0)])).toBe(false);
  });
});
