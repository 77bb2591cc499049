import { describe, expect, it } from 'vitest';
import {
  allocationKey,
  containerName,
  isSetAside,
  leaseIdProblem,
  previousName,
  projectName,
  projectServiceKey,
  tenantNetworkName,
  upcomingName,
} from './names.ts';

const lease = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';
const web = { lease, service: 'web', index: 1 };

describe('names', () => {
  it('are those that existing installations hold', () => {
    expect(containerName(web)).toBe(`fred-${lease}-web-1`);
    expect(previousName(web)).toBe(`fred-${lease}-web-1-prev`);
    expect(projectName(lease)).toBe(`fred-${lease}`);
    expect(projectServiceKey(web, 1)).toBe('web');
    expect(projectServiceKey(web, 2)).toBe('web-1');
    expect(allocationKey(web)).toBe(`${lease}-web-1`);
  });

  it('give a tenant a network of its own', () => {
    expect(tenantNetworkName('manifest1abc')).toBe('fred-tenant-90805a091731874e');
    expect(tenantNetworkName('tenant-a')).toBe('fred-tenant-80a707af7dc77ee1');
  });

  it('tell a live container from one that was set aside', () => {
    expect([containerName(web), previousName(web), upcomingName(web)].map(isSetAside)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each([
    '../etc',
    'a/b',
    '',
    '-x',
    'a b',
    'a\n',
    'x'.repeat(129),
    'retained-0190f5fb',
  ])('cannot be made from the lease id %j', (id) => expect(leaseIdProblem(id)).toBeDefined());

  it.each([lease, 'lifecycle-17', 'A.b_c'])('can be made from the lease id %j', (id) =>
    expect(leaseIdProblem(id)).toBeUndefined());
});
