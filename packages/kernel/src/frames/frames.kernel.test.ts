import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type Ipv6, type Mac, parseIpv4, parseIpv6, parseMac } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { Network } from '../network/index.ts';
import { freshNamespace, ip, until } from '../testing/namespaces.ts';
import {
  arpAbout,
  type Condition,
  DeafUdpSocket,
  dhcpForClient,
  etherType,
  everything,
  PacketSocket,
  type ReceivedFrame,
  routerAdvertisements,
  Udp6Socket,
} from './index.ts';

const ours = parseMac('02:42:0a:63:00:32');
const theirs = parseMac('02:00:00:00:00:01');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[\s:]/g, ''), 'hex');

const cleanUps: Disposable[] = [];
afterEach(() => {
  for (const each of cleanUps.splice(0).reverse()) each[Symbol.dispose]();
});
function owned<T extends Disposable>(resource: T): T {
  cleanUps.push(resource);
  return resource;
}
const fail = (error: unknown): void => {
  throw error;
};

/** Two hosts on one cable. */
function cable() {
  const here = owned(freshNamespace('here'));
  const there = owned(freshNamespace('there'));
  const network = owned(Network.open(here));
  network.links.create({
    kind: 'veth',
    name: 'ext',
    mac: ours,
    up: true,
    peer: { name: 'lan', mac: theirs, namespace: there },
  });
  ip(there, 'link set lan up');
  const link = network.links.byName('ext')!;
  const far = owned(Network.open(there)).links.byName('lan')!;
  return { here, there, network, link, far };
}

function listen(namespace: Netns, link: number, type: number, filter: Condition) {
  const frames: ReceivedFrame[] = [];
  const socket = owned(
    PacketSocket.open({ namespace, link, etherType: type, filter }, (frame) => frames.push(frame), fail),
  );
  return { socket, frames };
}

const sender = (namespace: Netns, link: number): PacketSocket =>
  owned(PacketSocket.open({ namespace, link, etherType: 0x88b5, filter: everything }, () => undefined, fail));

const dhcp = (to: Mac | 'all', port: number, mark: string): Buffer =>
  hex(`${to === 'all' ? 'ffffffffffff' : to} ${theirs} 0800
    4500 0021 0000 0000 4011 66bf 0a630001 0a630032  0043 ${port.toString(16).padStart(4, '0')} 000d 0000 ${mark}`);
const arp = (senderIp: string, targetIp: string): Buffer =>
  hex(`ffffffffffff ${theirs} 0806 0001 0800 0604 0001 ${theirs} ${senderIp} 000000000000 ${targetIp}`);

/** How often this host has told another one that a port is closed. */
function portUnreachables(namespace: Netns): number {
  const [names = '', values = ''] = namespace
    .run(() => readFileSync('/proc/thread-self/net/snmp', 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'));
  return Number(values.split(' ')[names.split(' ').indexOf('OutDestUnreachs')]);
}

describe('PacketSocket', () => {
  it('receives and sends frames without any address', async () => {
    const { here, there, link, far } = cable();
    const near = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    const other = listen(there, far.index, etherType.ipv4, everything);
    const frame = dhcp(theirs, 67, 'cafe');
    near.socket.send(frame);
    await until('the frame is there', () => other.frames.length > 0);
    expect(Buffer.from(other.frames[0]!.bytes).equals(frame)).toBe(true);
    other.socket.send(dhcp(ours, 68, 'beef'));
    await until('the answer is here', () => near.frames.length > 0);
    expect(near.frames[0]).toMatchObject({ truncated: false, checksumPending: false });
  });

  it('lets nothing into this process that the filter does not want', async () => {
    const { here, there, link, far } = cable();
    const { frames } = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    const all = listen(here, link.index, etherType.ipv4, everything);
    const from = sender(there, far.index);
    const foreign = [
      dhcp(parseMac('02:42:0a:63:00:99'), 68, '01'),
      dhcp(ours, 67, '02'),
      dhcp('all', 53, '03'),
    ];
    const wanted = [dhcp('all', 68, 'aa'), dhcp(ours, 68, 'bb')];
    for (const frame of [...foreign, ...wanted]) from.send(frame);
    await until('both have arrived', () => frames.length >= 2);
    expect(frames.map(({ bytes }) => bytes.at(-1))).toEqual([0xaa, 0xbb]);
    // They did come this far: somebody who filters nothing saw those that are meant for this MAC, and heard the rest.
    expect(all.frames.length).toBeGreaterThanOrEqual(4);
  });

  it('hears of ARP only what is about its addresses, and of others once it is told to', async () => {
    const { here, there, link, far } = cable();
    const [fifty, sixty, one] = ['0a630032', '0a63003c', '0a630001'] as const;
    const { socket, frames } = listen(here, link.index, etherType.arp, arpAbout([parseIpv4('10.99.0.50')]));
    const from = sender(there, far.index);
    const send = (...packets: readonly Buffer[]): void => {
      for (const packet of packets) from.send(packet);
    };
    send(arp(one, fifty), arp(sixty, sixty), arp('00000000', fifty));
    await until('the probe has arrived', () => frames.length >= 1);
    socket.setFilter(arpAbout([parseIpv4('10.99.0.60')]));
    send(arp(fifty, fifty), arp(sixty, sixty));
    await until('the claim has arrived', () => frames.length >= 2);
    expect(frames.map(({ bytes }) => Buffer.from(bytes.subarray(28, 32)).toString('hex'))).toEqual([
      '00000000',
      sixty,
    ]);
  });

  it('says when the checksum was left to hardware that does not exist', async () => {
    const { here, there, link } = cable();
    ip(here, 'addr add 10.99.0.50/24 dev ext');
    ip(there, 'addr add 10.99.0.1/24 dev lan');
    const { frames } = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    const lan = { index: 0, name: 'lan' };
    const server = owned(
      DeafUdpSocket.open({ namespace: there, link: lan, address: parseIpv4('10.99.0.1'), port: 67 }),
    );
    server.send(Buffer.from('offer'), parseIpv4('10.99.0.50'), 68);
    await until('the datagram has arrived', () => frames.length > 0);
    expect(frames[0]!.checksumPending).toBe(true);
  });

  it('says when a frame was too long', async () => {
    const { here, there, link, far } = cable();
    ip(here, 'link set ext mtu 9000');
    ip(there, 'link set lan mtu 9000');
    const { frames } = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    sender(there, far.index).send(Buffer.concat([dhcp(ours, 68, ''), Buffer.alloc(5000)]));
    await until('the frame has arrived', () => frames.length > 0);
    expect(frames[0]!.truncated).toBe(true);
    expect(frames[0]!.bytes.length).toBeLessThan(2048);
  });

  it('survives a link that goes down and comes back', async () => {
    const { here, there, link, far } = cable();
    const { socket, frames } = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    ip(here, 'link set ext down');
    expect(() => socket.send(dhcp(theirs, 67, '00'))).toThrow(
      expect.objectContaining({ code: 'KERNEL_UNREACHABLE' }),
    );
    ip(here, 'link set ext up');
    const from = sender(there, far.index);
    await until('frames come again', () => {
      from.send(dhcp(ours, 68, '01'));
      return frames.length > 0;
    });
  });

  it('survives the end of its link', async () => {
    const { here, network, link } = cable();
    const { socket } = listen(here, link.index, etherType.ipv4, everything);
    network.links.delete(link.index);
    await until('the link is gone', () => network.links.byIndex(link.index) === undefined);
    expect(() => socket.send(dhcp(theirs, 67, '00'))).toThrow();
  });

  it('says what is wrong when there is no such link', () => {
    const here = owned(freshNamespace('here'));
    expect(() => listen(here, 4711, etherType.ipv4, everything)).toThrow(
      expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }),
    );
  });

  it('leaves no descriptor behind, and hears nothing after its end', async () => {
    const { here, there, link, far } = cable();
    const from = sender(there, far.index);
    const before = readdirSync('/proc/self/fd').length;
    const heard: ReceivedFrame[] = [];
    for (let round = 0; round < 50; round += 1) {
      const options = { namespace: here, link: link.index, etherType: etherType.ipv4, filter: everything };
      const socket = PacketSocket.open(options, (frame) => heard.push(frame), fail);
      from.send(dhcp(ours, 68, '00'));
      socket[Symbol.dispose]();
      socket[Symbol.dispose]();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([]);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });

  it('hears router advertisements of its link', async () => {
    const { here, there, link, far } = cable();
    const { frames } = listen(here, link.index, etherType.ipv6, routerAdvertisements);
    const from = sender(there, far.index);
    const icmp = (type: string, hops: string): Buffer =>
      hex(`333300000001 ${theirs} 86dd 60000000 0010 3a ${hops}
        fe800000000000000000000000000001 ff020000000000000000000000000001 ${type}00 0000 4000070800000000 00000000`);
    for (const frame of [icmp('87', 'ff'), icmp('86', '40'), icmp('86', 'ff')]) from.send(frame);
    await until('the advertisement has arrived', () => frames.length > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(frames).toHaveLength(1);
    expect(frames[0]!.bytes[21]).toBe(255);
  });
});

describe('DeafUdpSocket', () => {
  it('keeps the kernel from telling a server that nobody listens', async () => {
    const { here, there, link } = cable();
    ip(here, 'addr add 10.99.0.50/24 dev ext');
    ip(there, 'addr add 10.99.0.1/24 dev lan');
    const server = owned(
      DeafUdpSocket.open({
        namespace: there,
        link: { index: 0, name: 'lan' },
        address: parseIpv4('10.99.0.1'),
        port: 67,
      }),
    );
    const { frames } = listen(here, link.index, etherType.ipv4, dhcpForClient(ours));
    const before = portUnreachables(here);
    server.send(Buffer.from('ack'), parseIpv4('10.99.0.50'), 68);
    await until('the kernel has refused the first one', () => portUnreachables(here) === before + 1);
    owned(DeafUdpSocket.open({ namespace: here, link, address: parseIpv4('10.99.0.50'), port: 68 }));
    server.send(Buffer.from('ack'), parseIpv4('10.99.0.50'), 68);
    await until('both were seen as frames', () => frames.length === 2);
    expect(portUnreachables(here)).toBe(before + 1);
  });

  it('refuses an address that the host does not have', () => {
    const { here, link } = cable();
    expect(() =>
      DeafUdpSocket.open({ namespace: here, link, address: parseIpv4('10.99.0.50'), port: 68 }),
    ).toThrow(expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }));
  });
});

describe('Udp6Socket', () => {
  it('speaks with the neighbours over link-local addresses', async () => {
    const { here, there, link, far } = cable();
    const linkLocal = async (namespace: Netns, index: number): Promise<Ipv6> => {
      const network = owned(Network.open(namespace));
      const found = await until('the link-local address can be used', () =>
        network.addresses.list({ family: 6, link: index }).find((each) => !each.tentative),
      );
      return parseIpv6(found.address);
    };
    const address = await linkLocal(here, link.index);
    const heard: string[] = [];
    const client = owned(
      Udp6Socket.open(
        { namespace: here, link, address, port: 546 },
        ({ bytes, from, truncated }) => heard.push(`${Buffer.from(bytes)} ${from} ${truncated}`),
        fail,
      ),
    );
    const farAddress = await linkLocal(there, far.index);
    const server = owned(
      Udp6Socket.open(
        { namespace: there, link: far, address: farAddress, port: 547 },
        ({ bytes }) => server.send(Buffer.from(`re: ${Buffer.from(bytes)}`), address, 546),
        fail,
      ),
    );
    client.send(Buffer.from('solicit'), farAddress, 547);
    await until('the answer is here', () => heard.length > 0);
    expect(heard).toEqual([`re: solicit ${farAddress} false`]);
  });
});
