import { type IpAddress, parseIp, parseIpv4 } from '@berth/kernel/ip';
import type { InterfaceAddress } from '@berth/kernel/network';
import { sleep, VirtualClock } from '@berth/service';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Backend } from '../discovery/index.ts';
import { testParts } from '../testing/program.ts';
import type { ProbeResult } from './judge.ts';
import { PathChecker } from './path-checker.ts';

const external = 2;
const address = (link: number, text: string, prefixLength: number): InterfaceAddress =>
  ({ link, address: parseIp(text), prefixLength, scope: 'global' }) as InterfaceAddress;
const ours = [address(external, '10.99.0.40', 24), address(3, '172.30.0.2', 16)];

const backend = (number: number): Backend => ({
  id: `c${number}`,
  name: `backend-${number}`,
  createdAtMs: 0,
  ipv4: parseIpv4(`172.30.${1 + Math.floor(number / 200)}.${1 + (number % 200)}`),
  ipv6: undefined,
  ports: [],
});

let end: AbortController;
beforeEach(() => {
  end = new AbortController();
});
afterEach(() => end.abort());

/** Each probe that nobody answers takes as long as a real one. */
function checker(probeOf: (target: IpAddress, from: IpAddress) => ProbeResult, filters: boolean | undefined) {
  const clock = new VirtualClock();
  const parts = testParts();
  let probing = 0;
  let mostProbing = 0;
  let asked = 0;
  const probed: IpAddress[] = [];
  const paths = new PathChecker(
    {
      ...parts,
      clock,
      network: { addresses: { list: () => ours } } as never,
      system: {
        info: async () => {
          asked += 1;
          if (filters === undefined) throw new Error('not allowed');
          return { filtersBridgedPackets: { ipv4: filters, ipv6: filters } } as never;
        },
      },
      probe: async (target, from) => {
        probed.push(target);
        probing += 1;
        mostProbing = Math.max(mostProbing, probing);
        const result = probeOf(target, from);
        if (result === 'silent') await sleep(clock, 1_500);
        probing -= 1;
        return result;
      },
      externalLink: () => external,
    },
    30_000,
  );
  void paths.run(end.signal);
  return { ...parts, clock, paths, probed, mostProbing: () => mostProbing, asked: () => asked };
}

const fromInside = (_: IpAddress, from: IpAddress): ProbeResult =>
  from === '172.30.0.2' ? 'answered' : 'silent';

it.each([
  [true, 'bridge-netfilter', 'path to backend blocked by bridge netfilter on the host'],
  [undefined, 'bridge-netfilter', 'path to backend blocked by bridge netfilter on the host'],
  [false, 'no-return-route', 'backend has no route back to clients'],
] as const)('names a backend that only its neighbours reach; the host filters: %s', async (filters, code, msg) => {
  const { clock, paths, problems, recording } = checker(fromInside, filters);
  paths.check([backend(0)]);
  await clock.advance(10_000);
  expect(problems.list()).toMatchObject([{ code, subject: '172.30.1.1', detail: 'backend-0 at 172.30.1.1' }]);
  await clock.advance(100_000);
  expect(recording.attrsOf(msg)).toHaveLength(1);
});

it('says when the path is open again, and forgets a backend that is gone', async () => {
  let open = false;
  const { clock, paths, problems, recording } = checker(
    (target, from) => (open && target === '172.30.1.1' ? 'answered' : fromInside(target, from)),
    true,
  );
  paths.check([backend(0), backend(1)]);
  await clock.advance(10_000);
  expect(problems.of('bridge-netfilter')).toHaveLength(2);
  open = true;
  await clock.advance(60_000);
  expect(problems.of('bridge-netfilter').map(({ subject }) => subject)).toEqual(['172.30.1.2']);
  expect(recording.attrsOf('path to backend open')).toMatchObject([{ container: 'backend-0' }]);
  paths.check([backend(0)]);
  await clock.advance(5_000);
  expect(problems.list()).toEqual([]);
});

it('finds the one that is cut off among a thousand that answer nobody, within minutes and not an hour', async () => {
  const cutOff = backend(999);
  const { clock, paths, problems, mostProbing } = checker(
    (target, from) => (target === cutOff.ipv4 ? fromInside(target, from) : 'silent'),
    true,
  );
  paths.check(Array.from({ length: 1_000 }, (_, number) => backend(number)));
  await clock.advance(200_000);
  expect(problems.list()).toMatchObject([
    { code: 'bridge-netfilter', detail: expect.stringContaining('backend-999') },
  ]);
  expect(mostProbing()).toBeLessThanOrEqual(16);
});

it('does not try those again that are blocked each time that somebody comes, and asks the host once a look', async () => {
  const { clock, paths, probed, asked } = checker(fromInside, true);
  const many = Array.from({ length: 100 }, (_, number) => backend(number));
  paths.check(many);
  await clock.advance(20_000);
  expect(new Set(probed).size).toBe(100);
  expect(asked()).toBe(1);
  probed.length = 0;
  const comes = backend(100);
  paths.check([...many, comes]);
  await clock.advance(4_000);
  expect(new Set(probed)).toEqual(new Set([comes.ipv4]));
  await clock.advance(40_000);
  expect(new Set(probed).size).toBe(101);
});
