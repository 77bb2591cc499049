import { parseIp, parseMac } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { forwardFilterFor, refusedInterfaces, type Standing } from './forward-filter.ts';

const macOf = (number: number): string => `02:42:0a:00:00:0${number}`;
const link = (name: string, number: number, kind: string | undefined = 'veth') => ({
  ...{ name, kind, loopback: false, index: number },
  mac: parseMac(macOf(number)),
});

const links = [link('eth0', 1, 'macvlan'), link('eth1', 2), link('eth2', 3), link('eth3', 4, 'macvlan')];

/** On a LAN (externally), on two bridges, and on another LAN. */
const standing = (changes: Partial<Standing> = {}): Standing => ({
  attachments: {
    lan: { mac: macOf(1) },
    transit: { mac: macOf(2) },
    data: { mac: macOf(3).toUpperCase() },
    other: { mac: macOf(4) },
  },
  links,
  addresses: [1, 2, 3, 4].map((number) => ({ link: number, address: parseIp(`10.0.${number}.2`) })),
  externalInterface: 'eth0',
  externalNetwork: 'lan',
  sharedNetwork: 'transit',
  ...changes,
});

const inner = (...interfaces: readonly string[]) => ({ kind: 'inner', interfaces });

describe('who may send packets through us', () => {
  it('is who stands on a bridge of ours, and nobody on a second LAN', () => {
    expect(forwardFilterFor(standing())).toEqual(inner('eth1', 'eth2'));
  });

  it('is nobody behind an interface that Docker did not give us', () => {
    const plugged = [...links, link('plugged0', 9), link('wg0', 8, 'wireguard')];
    const filter = forwardFilterFor(standing({ links: plugged }));
    expect(filter).toEqual(inner('eth1', 'eth2'));
    expect(refusedInterfaces(filter, plugged, 'eth0')).toEqual(['eth3', 'plugged0', 'wg0']);
  });

  it('is nobody on the external side, be that a bridge, and named by its interface alone', () => {
    const bridged = [link('eth0', 1), link('eth1', 2)];
    expect(forwardFilterFor(standing({ links: bridged }))).toEqual(inner('eth1'));
    expect(forwardFilterFor(standing({ links: bridged, externalNetwork: undefined }))).toEqual(inner('eth1'));
  });

  it('is who stands on the network of the backends, whatever kind that is', () => {
    expect(forwardFilterFor(standing({ sharedNetwork: 'other' }))).toEqual(inner('eth1', 'eth2', 'eth3'));
  });

  it('is who stands on a network of a driver that gives no MAC of its own, found by our address there', () => {
    const parents = parseMac(macOf(9));
    const ipvlan = links.map((one) => (one.name === 'eth3' ? { ...one, kind: 'ipvlan', mac: parents } : one));
    for (const mac of [undefined, '']) {
      const attachments = { ...standing().attachments, other: { mac, ipv4: '10.0.4.2' } };
      const filter = (sharedNetwork: string) =>
        forwardFilterFor(standing({ attachments, links: ipvlan, sharedNetwork }));
      expect(filter('other')).toEqual(inner('eth1', 'eth2', 'eth3'));
      expect(filter('transit')).toEqual(inner('eth1', 'eth2'));
    }
  });

  it('is nobody yet on a network whose interface is not there', () => {
    const early = { ...standing().attachments, late: {}, soon: { mac: macOf(7) } };
    expect(forwardFilterFor(standing({ attachments: early }))).toEqual(inner('eth1', 'eth2'));
  });

  it('is not decided in a namespace that belongs to somebody else', () => {
    for (const attachments of [{}, { host: {} }, { none: {} }]) {
      const filter = forwardFilterFor(standing({ attachments }));
      expect(filter).toEqual({ kind: 'external' });
      expect(refusedInterfaces(filter, links, 'eth0')).toEqual([]);
    }
  });
});
