import { createServer } from 'node:net';
import { parseIp } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { judgePath, judgeUnhurried, type PathVerdict } from './judge.ts';
import { probe } from './probe.ts';

describe('path to a backend', () => {
  it.each([
    ['answered', 'answered', true, 'open'],
    ['silent', 'answered', true, 'open'],
    ['silent', 'silent', true, 'unknown'],
    ['answered', 'silent', true, 'bridge-netfilter'],
    ['answered', 'silent', undefined, 'bridge-netfilter'],
    ['answered', 'silent', false, 'no-return-route'],
  ] as const)('from inside %s, from outside %s, host filters: %s → %s', (fromInside, fromOutside, filters, verdict) => {
    expect(judgePath({ fromInside, fromOutside }, filters)).toBe(verdict);
  });
});

describe('a second look', () => {
  it.each([
    [['open'], 'open'],
    [['unknown'], 'unknown'],
    [['no-return-route', 'open'], 'open'],
    [['bridge-netfilter', 'bridge-netfilter'], 'bridge-netfilter'],
  ] as const)('makes %j into %s', async (verdicts, settled) => {
    const did: (PathVerdict | 'pause')[] = [];
    const next = verdicts.values();
    const judge = async () => {
      const { value = 'unknown' } = next.next();
      did.push(value);
      return value;
    };
    const moment = async () => void did.push('pause');
    expect(await judgeUnhurried(judge, moment)).toBe(settled);
    expect(did).toEqual(verdicts.flatMap((verdict, at) => (at === 0 ? [verdict] : ['pause', verdict])));
  });
});

describe('probe', () => {
  const loopback = parseIp('127.0.0.1');
  const never = new AbortController().signal;

  it('takes a connection for an answer, and a refusal, too', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await probe(loopback, loopback, never, { port })).toBe('answered');
    await new Promise((resolve) => server.close(resolve));
    expect(await probe(loopback, loopback, never, { port })).toBe('answered');
  });

  it('hears nothing when it can not ask from that address, and when it is told to stop', async () => {
    expect(await probe(loopback, parseIp('203.0.113.9'), never)).toBe('silent');
    expect(await probe(loopback, loopback, AbortSignal.abort())).toBe('silent');
  });
});
