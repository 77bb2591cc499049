import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMac } from '../ip/index.ts';
import type { Netns } from '../netns/index.ts';
import { freshNamespace, ip, ipJson } from '../testing/namespaces.ts';
import { Network } from './index.ts';

let namespace: Netns;
let network: Network;

beforeEach(() => {
  namespace = freshNamespace('links');
  network = Network.open(namespace);
});
afterEach(() => {
  network[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const linkNamed = (name: string, from: Network = network) => {
  const link = from.links.byName(name);
  if (link === undefined) throw new Error(`there is no link ${name}`);
  return link;
};

describe('Links', () => {
  it('lists what ip lists', () => {
    ip(namespace, 'link add bridge0 address 02:00:00:00:00:0b type bridge');
    ip(namespace, 'link add left type veth peer name right');
    ip(namespace, 'link set left up master bridge0 alias uplink');
    ip(namespace, 'link set right up');
    const told = ipJson(namespace, '-d link');
    expect(
      network.links.list().map(({ index, name, mtu, mac, loopback, kind }) => ({
        ifindex: index,
        ifname: name,
        mtu,
        address: mac,
        link_type: loopback ? 'loopback' : 'ether',
        kind,
      })),
    ).toEqual(
      told.map(({ ifindex, ifname, mtu, address, link_type, linkinfo }) => ({
        ifindex,
        ifname,
        mtu,
        address,
        link_type,
        kind: (linkinfo as { info_kind?: string } | undefined)?.info_kind,
      })),
    );
    expect(linkNamed('left')).toMatchObject({
      up: true,
      carrier: true,
      alias: 'uplink',
      operationalState: 'up',
      master: linkNamed('bridge0').index,
      parent: linkNamed('right').index,
    });
    expect(linkNamed('bridge0')).toMatchObject({
      up: false,
      mtu: 1500,
      mac: '02:00:00:00:00:0b',
      parent: undefined,
    });
  });

  it('finds a link by name, index and address, and says when there is none', () => {
    ip(namespace, 'link add b0 address 02:00:00:00:00:01 type bridge');
    const link = linkNamed('b0');
    expect(network.links.byIndex(link.index)).toEqual(link);
    expect(network.links.byMac(parseMac('02:00:00:00:00:01'))).toEqual([link]);
    expect(network.links.byMac(parseMac('02:00:00:00:00:02'))).toEqual([]);
    expect(network.links.byName('b1')).toBeUndefined();
    expect(network.links.byIndex(999)).toBeUndefined();
  });

  it('makes a veth pair between namespaces', () => {
    using other = freshNamespace('far side');
    using otherNetwork = Network.open(other);
    network.links.create({
      kind: 'veth',
      name: 'near',
      mtu: 1400,
      up: true,
      mac: parseMac('02:00:00:00:00:01'),
      peer: { name: 'far', mtu: 1400, mac: parseMac('02:00:00:00:00:02'), namespace: other },
    });
    expect(linkNamed('near')).toMatchObject({ kind: 'veth', mtu: 1400, mac: '02:00:00:00:00:01', up: true });
    expect(linkNamed('far', otherNetwork)).toMatchObject({ mtu: 1400, mac: '02:00:00:00:00:02', up: false });
    expect(linkNamed('near').parentNamespaceId).toBeDefined();
    expect(ipJson(other, 'link show far')).toMatchObject([{ ifname: 'far' }]);
  });

  it('makes a macvlan and puts it into another namespace', () => {
    using other = freshNamespace('guest');
    ip(namespace, 'link add up0 type veth peer name up1');
    const parent = linkNamed('up0').index;
    network.links.create({ kind: 'macvlan', name: 'here', parent, mode: 'private' });
    network.links.create({ kind: 'macvlan', name: 'there', parent, mode: 'bridge', up: true }, other);
    expect(linkNamed('here')).toMatchObject({ kind: 'macvlan', parent, macvlanMode: 'private' });
    expect(ipJson(other, '-d link show there')).toMatchObject([
      { ifname: 'there', linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } } },
    ]);
    expect(network.links.byName('there')).toBeUndefined();
  });

  it('makes a bridge, gives it a port and takes it away again', () => {
    network.links.create({ kind: 'bridge', name: 'b0', up: true });
    ip(namespace, 'link add p0 type veth peer name p1');
    const { index } = linkNamed('p0');
    network.links.change(index, { master: linkNamed('b0').index, up: true });
    expect(ipJson(namespace, 'link show p0')).toMatchObject([
      { master: 'b0', flags: expect.arrayContaining(['UP']) },
    ]);
    network.links.change(index, { master: null, up: false });
    expect(linkNamed('p0')).toMatchObject({ master: undefined, up: false });
  });

  it('changes name, address, mtu, state and alias, and leaves the rest alone', () => {
    ip(namespace, 'link add b0 mtu 1400 type bridge');
    const { index } = linkNamed('b0');
    network.links.change(index, { name: 'b1', mac: parseMac('02:00:00:00:00:07'), alias: 'lan' });
    expect(linkNamed('b1')).toMatchObject({
      index,
      mac: '02:00:00:00:00:07',
      alias: 'lan',
      mtu: 1400,
      up: false,
    });
    network.links.change(index, { up: true, mtu: 1300 });
    expect(linkNamed('b1')).toMatchObject({ mac: '02:00:00:00:00:07', mtu: 1300, up: true });
  });

  it('moves a link to another namespace under a new name', () => {
    using other = freshNamespace('new home');
    ip(namespace, 'link add m0 type veth peer name m1');
    network.links.move(linkNamed('m0').index, other, 'eth0');
    expect(network.links.byName('m0')).toBeUndefined();
    expect(ipJson(other, 'link show eth0')).toMatchObject([{ ifname: 'eth0' }]);
    using otherNetwork = Network.open(other);
    otherNetwork.links.move(linkNamed('eth0', otherNetwork).index, namespace);
    expect(linkNamed('eth0')).toMatchObject({ kind: 'veth' });
  });

  it('deletes a link', () => {
    ip(namespace, 'link add b0 type bridge');
    network.links.delete(linkNamed('b0').index);
    expect(network.links.byName('b0')).toBeUndefined();
  });

  it('says what the kernel dislikes', () => {
    ip(namespace, 'link add b0 type bridge');
    const { index } = linkNamed('b0');
    expect(() => network.links.create({ kind: 'bridge', name: 'b0' })).toThrow(
      /creating bridge b0 failed: .*EEXIST/,
    );
    expect(() => network.links.change(index, { mtu: 1 })).toThrow(
      /changing link \d+ \(mtu\) failed: mtu less than device minimum/,
    );
    expect(() => network.links.delete(999)).toThrow(expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }));
    expect(() => network.links.create({ kind: 'bridge', name: 'a-name-that-is-too-long' })).toThrow(
      /failed: .*(ERANGE|EINVAL)/,
    );
  });
});

describe('vlan links', () => {
  it('are made where the kernel can, and the lack is named where it cannot [needs kernel: 8021q]', (context) => {
    ip(namespace, 'link add v0 type veth peer name v1');
    const create = (): void =>
      network.links.create({ kind: 'vlan', name: 'v0.5', parent: linkNamed('v0').index, vlanId: 5 });
    try {
      create();
    } catch (error) {
      expect(error).toMatchObject({ code: 'KERNEL_UNSUPPORTED' });
      context.skip();
    }
    expect(linkNamed('v0.5')).toMatchObject({ kind: 'vlan', vlanId: 5, parent: linkNamed('v0').index });
  });
});
