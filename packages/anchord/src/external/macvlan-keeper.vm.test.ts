/** The external interface of the old kind, on a VLAN of a real wire: for kernels that know 8021q. */

import { spawnSync } from 'node:child_process';
import { parseCidr, parseIpv4 } from '@berth/kernel/ip';
import { Netns } from '@berth/kernel/netns';
import { Network } from '@berth/kernel/network';
import { systemClock } from '@berth/service';
import { RecordingLog } from '@berth/service/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { derivedMac } from './macvlan.ts';
import { MacvlanKeeper } from './macvlan-keeper.ts';

const child = { name: 'anchor0', parent: 'eth0.42', mac: derivedMac('mail') };

/** Both cards of the virtual machine hang on one wire; the second one stands for the LAN. */
describe('an anchor of the old kind on VLAN 42', () => {
  const must = (...[program = '', ...args]: readonly string[]): void => {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  };
  must('ip', 'netns', 'add', 'lan');
  must('ip', 'link', 'set', 'eth1', 'netns', 'lan');
  const lan = Netns.atPath('/run/netns/lan');
  const ours = Network.open();
  const theirs = Network.open(lan);
  let stop: AbortController;
  let running: Promise<void>;

  const vlanOn = (network: Network, card: string): number => {
    const parent = network.links.byName(card);
    if (parent === undefined) throw new Error(`there is no ${card}`);
    network.links.change(parent.index, { up: true });
    network.links.create({ kind: 'vlan', name: `${card}.42`, parent: parent.index, vlanId: 42, up: true });
    return network.links.byName(`${card}.42`)?.index ?? 0;
  };

  beforeAll(() => {
    const there = vlanOn(theirs, 'eth1');
    theirs.addresses.add({ link: there, address: parseIpv4('10.42.0.1'), prefixLength: 24 });
    vlanOn(ours, 'eth0');
    stop = new AbortController();
    const keeper = new MacvlanKeeper(child, {
      network: ours,
      runDhcp: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      backoffMaxMs: 1_000,
      clock: systemClock,
      log: new RecordingLog().log,
    });
    running = keeper.run(stop.signal);
  });
  afterAll(async () => {
    stop?.abort();
    await running;
    ours[Symbol.dispose]();
    theirs[Symbol.dispose]();
    lan[Symbol.dispose]();
  });

  it('has an interface with its own MAC, and reaches the LAN over the VLAN by it', async () => {
    await expect
      .poll(() => ours.links.byName(child.name), { timeout: 60_000 })
      .toMatchObject({ mac: child.mac });
    const link = ours.links.byName(child.name);
    ours.addresses.add({ link: link?.index ?? 0, address: parseIpv4('10.42.0.9'), prefixLength: 24 });
    expect(ours.routes.list({ family: 4 }).map(({ destination }) => destination)).toContainEqual(
      parseCidr('10.42.0.0/24'),
    );
    const ping = () =>
      spawnSync('busybox', ['ping', '-c', '1', '-W', '2', '10.42.0.1'], { encoding: 'utf8' }).status;
    await expect.poll(ping, { timeout: 60_000 }).toBe(0);
    const [neighbour] = theirs.neighbours.list().filter(({ address }) => address === '10.42.0.9');
    expect(neighbour?.mac).toBe(child.mac);
  });

  it('takes it away at its end', async () => {
    stop.abort();
    await running;
    expect(ours.links.byName(child.name)).toBeUndefined();
  });
});
