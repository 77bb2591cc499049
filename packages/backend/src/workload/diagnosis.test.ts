import type { ContainerLogs } from '@berth/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capturedLogs, cut, cutContainer, cutLease, diagnosis, tenantLogs } from './diagnosis.ts';
import type { LeaseContainer } from './listing.ts';

const never = new AbortController().signal;
const state = { exitCode: 137, oomKilled: false };
const engine = (logs: (id: string, tail: number | undefined) => ContainerLogs) => ({
  logs: async (id: string, query: { tail?: number } = {}) => logs(id, query.tail),
});
const containers = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => ({ id: String(index), service: 'web', index }) as LeaseContainer,
  );

describe('a diagnosis', () => {
  const details = (more: object) =>
    ({ id: 'c', state: { ...state, ...more } }) as Parameters<typeof diagnosis>[1];

  it('says how it ended and what it printed last', async () => {
    const asked: unknown[] = [];
    const source = engine((_, tail) => {
      asked.push(tail);
      return { text: 'boom\n', truncated: false };
    });
    expect(await diagnosis(source, details({}), never)).toBe('exit_code=137; logs:\nboom\n');
    expect(await diagnosis(source, details({ oomKilled: true }), never)).toBe(
      'exit_code=137, oom_killed=true; logs:\nboom\n',
    );
    expect(asked).toEqual([20, 20]);
  });

  it('ends before the logs when there are none, and at 4096 bytes', async () => {
    const broken = { logs: async () => Promise.reject(new Error('gone')) };
    expect(await diagnosis(broken, details({}), never)).toBe('exit_code=137');
    const long = await diagnosis(
      engine(() => ({ text: 'é'.repeat(5000), truncated: false })),
      details({}),
      never,
    );
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(4096);
    expect(long.endsWith('é...')).toBe(true);
  });
});

describe('the logs of a lease', () => {
  const mib = 1024 * 1024;

  it('are marked where they were cut, for one container and for all together', async () => {
    const source = engine((id) => ({ text: 'x'.repeat(5 * mib), truncated: id === '0' }));
    const logs = await tenantLogs(source, containers(9), 100, never);
    expect(logs['web/0']?.endsWith(`x\n${cutContainer}`)).toBe(true);
    expect(logs['web/5']).toHaveLength(5 * mib);
    expect(logs['web/6']?.endsWith(`x\n${cutLease}`)).toBe(true);
    expect([logs['web/7'], logs['web/8']]).toEqual([cutLease, cutLease]);
    expect(Object.values(logs).join('').length).toBeLessThan(33 * mib);
    expect(Object.keys(await capturedLogs(source, containers(9), never))).toHaveLength(7);
  });

  it('are as long as they are asked for, and of 100 lines where they are kept', async () => {
    const asked: unknown[] = [];
    const source = engine((_, tail) => {
      asked.push(tail);
      return { text: '', truncated: false };
    });
    await tenantLogs(source, containers(1), 7, never);
    await capturedLogs(source, containers(1), never);
    expect(asked).toEqual([7, 100]);
  });

  it('that cannot be read say so, and hide no others', async () => {
    const source = {
      logs: async (id: string) =>
        id === '0' ? Promise.reject(new Error('no')) : { text: 'ok', truncated: false },
    };
    expect(await tenantLogs(source, containers(2), 5, never)).toEqual({
      'web/0': '<log unavailable>',
      'web/1': 'ok',
    });
  });
});

describe('a cut', () => {
  it('never exceeds its bytes and never breaks a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, bytes) => {
        const short = cut(text, bytes, '');
        expect(Buffer.byteLength(short)).toBeLessThanOrEqual(Math.max(bytes, 0));
        expect(text.startsWith(short)).toBe(true);
      }),
    );
  });
});
