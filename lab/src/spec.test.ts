import { describe, expect, it } from 'vitest';
import { addressPlan, numberOf } from './spec.ts';

describe('the address plan', () => {
  it('gives each place the same number in both families', () => {
    const plan = addressPlan({ v4: '192.168.7.0/24', v6: 'fd12:3::/64' });
    expect([plan.v4(plan.router), plan.v6(plan.router)]).toEqual(['192.168.7.1', 'fd12:3::1']);
    expect(plan.v4(plan.host(2))).toBe('192.168.7.12');
    expect(plan.v6(plan.client(3))).toBe('fd12:3::23');
  });

  it.each([
    ['10.99.0.0/16', 'fd99::/64'],
    ['10.99.0.1/24', 'fd99::/64'],
    ['10.99.0.0/24', 'fd99::1/64'],
    ['10.99.0.0/24', 'fd99::/48'],
  ])('refuses %s with %s', (v4, v6) => {
    expect(() => addressPlan({ v4, v6 })).toThrow(expect.objectContaining({ code: 'BAD_SPEC' }));
  });

  it('reads the number of a place, and says when there is none', () => {
    expect(numberOf('client12')).toBe(12);
    expect(() => numberOf('lan')).toThrow('has no number');
  });
});
