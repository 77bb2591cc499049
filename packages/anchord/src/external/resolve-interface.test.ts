import type { ContainerDetails } from '@berth/engine';
import { parseMac } from '@berth/kernel/ip';
import type { Link } from '@berth/kernel/network';
import { VirtualClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { resolveExternalInterface } from './resolve-interface.ts';

const mac = '02:42:0a:63:00:0a';
const link = (index: number, name: string): Link =>
  ({ index, name, mac: parseMac(mac), loopback: false }) as Link;
const self = (attachments: Readonly<Record<string, { mac: string }>>): ContainerDetails =>
  ({ attachments }) as unknown as ContainerDetails;

interface Asked {
  readonly atMs: number;
  readonly timeoutMs: number | undefined;
}

/** Docker as it answers at each moment. */
function stage(answer: (atMs: number) => ContainerDetails, links: readonly Link[] = [link(2, 'eth1')]) {
  const clock = new VirtualClock();
  const recording = new RecordingLog();
  const asked: Asked[] = [];
  const ended = new AbortController();
  const outcome = resolveExternalInterface(
    'lan',
    {
      containers: {
        inspect: async (_, options) => {
          asked.push({ atMs: clock.monotonic(), timeoutMs: options?.timeoutMs });
          return answer(clock.monotonic());
        },
      },
      network: { links: { list: () => [...links] } } as never,
      self: () => ['me'],
      clock,
      log: recording.log,
    },
    ended.signal,
  ).catch((error: unknown) => error);
  return { clock, recording, asked, ended, outcome };
}

const unreachable = (): never => {
  throw new Error('no such file');
};

describe('the external interface of a Docker network', () => {
  it('is told once it is found', async () => {
    const { recording, outcome } = stage(() => self({ lan: { mac } }));
    expect(await outcome).toMatchObject({ name: 'eth1' });
    expect(recording.lines).toMatchObject([
      {
        level: 'info',
        msg: 'external interface resolved by network',
        attrs: { network: 'lan', iface: 'eth1' },
      },
    ]);
  });

  it('is the first of two with that MAC, and that is warned about', async () => {
    const { recording, outcome } = stage(() => self({ lan: { mac } }), [link(5, 'eth2'), link(2, 'eth1')]);
    expect(await outcome).toMatchObject({ name: 'eth1' });
    expect(recording.lines[0]).toMatchObject({
      level: 'warn',
      msg: 'multiple interfaces share MAC, picking first',
      attrs: { mac, iface: 'eth1', hits: 2 },
    });
  });

  it('is looked for at growing intervals, each time with bounded patience, and given up after ten seconds', async () => {
    const { clock, asked, outcome } = stage(unreachable);
    await clock.advance(20_000);
    expect(await outcome).toMatchObject({
      code: 'EXTERNAL_INTERFACE_NOT_FOUND',
      message: 'resolve external iface from network "lan": docker API unreachable: no such file',
    });
    const times = asked.map(({ atMs }) => atMs);
    expect(times).toEqual([0, 100, 300, 700, 1_500, 3_100, 5_100, 7_100, 9_100, 11_100]);
    for (const { timeoutMs } of asked) expect(timeoutMs).toBeLessThanOrEqual(3_000);
  });

  it.each([
    [self({}), "network not found in container's NetworkSettings"],
    [self({ lan: { mac: '' } }), "network not found in container's NetworkSettings (no MAC yet)"],
    [self({ lan: { mac: '02:42:00:00:00:01' } }), 'MAC from docker not present on any local interface'],
  ])('is waited for while Docker still plugs us in: %#', async (early, why) => {
    const { clock, recording, outcome } = stage((atMs) => (atMs < 1_000 ? early : self({ lan: { mac } })));
    await clock.advance(2_000);
    expect(await outcome).toMatchObject({ name: 'eth1' });
    expect(recording.lines[0]).toMatchObject({
      level: 'debug',
      msg: 'external interface not resolved yet',
      attrs: { err: why },
    });
  });

  it('is looked for no more once we are told to end', async () => {
    const { clock, asked, ended, outcome } = stage(unreachable);
    await clock.advance(200);
    ended.abort(new Error('signal'));
    expect(await outcome).toMatchObject({ message: 'signal' });
    await clock.advance(20_000);
    expect(asked).toHaveLength(2);
  });
});
