import type { Link, NetworkEvent } from '@berth/kernel/network';
import { VirtualClock } from '@berth/service';
import { expect, it } from 'vitest';
import { Arrangement } from './arrangement.ts';

const link = (index: number, name = `eth${index}`): Link =>
  ({ index, name, up: true, carrier: true }) as Link;
const tells = (change: 'set' | 'gone', value: Link): NetworkEvent => ({ kind: 'link', change, value, by: 0 });
const resync = (...links: readonly Link[]): NetworkEvent => ({
  kind: 'resync',
  reason: 'overrun',
  snapshot: { links, addresses: [], routes: [], neighbours: [], rules: [] },
});

/** For how long we keep our hands off after this. */
async function holdAfter(...events: readonly NetworkEvent[]): Promise<number> {
  const clock = new VirtualClock();
  const arrangement = new Arrangement({ clock, isOurs: ({ name }) => name === 'macvlan0' });
  for (const event of events) arrangement.hear(event);
  const begun = clock.monotonic();
  let ended: number | undefined;
  void arrangement.over(new AbortController().signal).then(() => {
    ended = clock.monotonic() - begun;
  });
  await clock.advance(10_000);
  return ended ?? Number.NaN;
}

it.each<[string, number, readonly NetworkEvent[]]>([
  ['what is there when we come', 0, [resync(link(1))]],
  ['what changes its state', 0, [resync(link(1)), tells('set', { ...link(1), up: false })]],
  ['what comes', 500, [resync(link(1)), tells('set', link(2))]],
  ['what goes', 500, [resync(link(1)), tells('gone', link(1))]],
  ['what goes twice', 0, [resync(link(1)), tells('gone', link(9))]],
  ['what has come while events were lost', 500, [resync(link(1)), resync(link(1), link(2))]],
  ['what has gone while events were lost', 500, [resync(link(1), link(2)), resync(link(1))]],
  ['what is as before after events were lost', 0, [resync(link(1)), resync(link(1))]],
  ['an interface of our own making', 0, [resync(link(1)), tells('set', link(2, 'macvlan0'))]],
])('%s is left alone for %i ms', async (_, ms, events) => {
  expect(await holdAfter(...events)).toBe(ms);
});
