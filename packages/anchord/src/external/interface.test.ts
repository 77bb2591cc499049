import { parseMac } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { chooseExternalInterface, type ExternalLink } from './interface.ts';

const links: readonly ExternalLink[] = [
  { index: 1, name: 'lo', mac: undefined },
  { index: 9, name: 'eth1', mac: parseMac('02:42:0a:63:00:0a') },
  { index: 7, name: 'eth0', mac: parseMac('02:42:ac:1e:00:02') },
];

describe('external interface', () => {
  it('is the one with the MAC that Docker recorded, however it is written', () => {
    for (const mac of ['02:42:0a:63:00:0a', '02-42-0A-63-00-0A']) {
      expect(chooseExternalInterface(links, mac)).toMatchObject({
        kind: 'found',
        link: { name: 'eth1' },
        hits: 1,
      });
    }
  });

  it('is the first of several with one MAC', () => {
    const twin = { index: 3, name: 'twin', mac: parseMac('02:42:0a:63:00:0a') };
    expect(chooseExternalInterface([...links, twin], twin.mac)).toEqual({
      kind: 'found',
      link: twin,
      hits: 2,
    });
  });

  it.each([
    [undefined, "network not found in container's NetworkSettings"],
    ['', "network not found in container's NetworkSettings (no MAC yet)"],
    ['02:42', 'MAC from docker can not be parsed: "02:42"'],
    ['02:42:00:00:00:00', 'MAC from docker not present on any local interface'],
  ])('is not found by %j', (mac, reason) => {
    expect(chooseExternalInterface(links, mac)).toEqual({ kind: 'not-found', reason });
  });
});
