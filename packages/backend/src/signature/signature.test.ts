import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sign, verify } from './signature.ts';

const page = readFileSync(
  new URL('../../../../docs/reference/backend-signatures.md', import.meta.url),
  'utf8',
);
const pageSecret = 'correct horse battery staple 32+!';
const vectors = [...page.matchAll(/^\| (\d+) \| (\w+) \| `([^`]+)` \| (?:`([^`]*)` )?\| `(\w+)` \|$/gm)].map(
  ([, timestamp = '', method = '', target = '', body = '', hex = '']) => ({
    timestamp,
    method,
    target,
    body,
    hex,
  }),
);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const secret = '0123456789abcdef0123456789abcdef';
const at = 1_700_000_000_000;
const lease = '0190f5fb-7a4e-7c2e-9d1a-3f2b1c0d4e5f';
const deprovision = { method: 'POST', target: '/deprovision', body: bytes(`{"lease_uuid":"${lease}"}`) };
const list = { method: 'GET', target: '/provisions?limit=1000', body: bytes('') };

describe('the signature', () => {
  it('is that of the published vectors', () => {
    expect(vectors).toHaveLength(5);
    for (const { timestamp, method, target, body, hex } of vectors) {
      const signed = sign(pageSecret, { method, target, body: bytes(body) }, Number(timestamp) * 1000);
      expect(signed).toBe(`t=${timestamp},sha256=${hex}`);
    }
  });

  it('is that of the contract', () => {
    expect(sign(secret, deprovision, at)).toBe(
      't=1700000000,sha256=956e55259be8013e6530a08c9b934ab707d42fc5be41474c7ece57b986831a5b',
    );
    expect(sign(secret, list, at + 999)).toBe(
      't=1700000000,sha256=23c177b7a6dbe41160146f45658fa270b513f55b1720c3ba584d2bc3962b1bac',
    );
    const callback = `{"lease_uuid":"${lease}","status":"success","backend":"docker"}`;
    expect(sign(secret, { method: 'POST', target: '/callbacks/provision', body: bytes(callback) }, at)).toBe(
      't=1700000000,sha256=cda544737b99dfa26ff544948e420674e45f7bee7befebf023256d22e000ba56',
    );
  });

  it('holds for 5 minutes, and for a clock that is 1 minute ahead, to the millisecond', () => {
    const value = sign(secret, deprovision, at);
    const verified = (now: number) => verify(secret, value, deprovision, now);
    expect([at - 60_001, at - 60_000, at, at + 300_000, at + 300_001].map(verified)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('does not hold for another method, target, query, body or secret', () => {
    const value = sign(secret, list, at);
    expect(verify(secret, value, { ...list, method: 'POST' }, at)).toBe(false);
    expect(verify(secret, value, { ...list, target: '/provisions?limit=100' }, at)).toBe(false);
    expect(verify(secret, value, { ...list, target: '/provisions' }, at)).toBe(false);
    expect(verify(secret, value, { ...list, body: bytes('x') }, at)).toBe(false);
    expect(verify(`${secret}x`, value, list, at)).toBe(false);
  });

  it('may have spaces around its halves and hex in upper case', () => {
    const [time = '', hex = ''] = sign(secret, list, at).split(',');
    const upper = hex.replace(/=.*/, (digits) => digits.toUpperCase());
    expect(verify(secret, ` ${time} , ${upper} `, list, at)).toBe(true);
  });

  it.each([
    ['halves swapped', (time: string, hex: string) => `${hex},${time}`],
    ['no t=', (time: string, hex: string) => `${time.slice(2)},${hex}`],
    ['no sha256=', (time: string, hex: string) => `${time},${hex.slice(7)}`],
    ['a digest that is no hex', (time: string, hex: string) => `${time},${hex.slice(0, -1)}g`],
    ['a short digest', (time: string, hex: string) => `${time},${hex.slice(0, -2)}`],
    ['a fraction for a time', (time: string, hex: string) => `${time}.0,${hex}`],
    ['one half', (time: string) => time],
    ['nothing', () => ''],
  ])('with %s is refused', (_, spoil) => {
    const [time = '', hex = ''] = sign(secret, list, at).split(',');
    expect(verify(secret, spoil(time, hex), list, at)).toBe(false);
  });

  it('verifies what it signs, and nothing else', () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST'),
      target: fc.webPath().map((path) => `/${path}`),
      body: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(request, request, fc.string(), (mine, other, junk) => {
        const value = sign(secret, mine, at);
        expect(verify(secret, value, mine, at)).toBe(true);
        const same =
          mine.method === other.method && mine.target === other.target && equal(mine.body, other.body);
        expect(verify(secret, value, other, at)).toBe(same);
        expect(verify(secret, junk, mine, at)).toBe(false);
      }),
    );
  });
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
