import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Netns } from '../netns/index.ts';
import { freshNamespace, ip, until } from '../testing/namespaces.ts';
import {
  Attributes,
  MessageWriter,
  NETLINK_ROUTE,
  NetlinkListener,
  type NetlinkMessage,
  type NetlinkRequest,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
} from './index.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const RTNLGRP_LINK = 1;
const LINK_HEADER = new Uint8Array(16);

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const nameOf = (message: NetlinkMessage): string | undefined =>
  Attributes.after(message.payload, LINK_HEADER.length).string(IFLA_IFNAME);

const listLinks: NetlinkRequest = {
  type: RTM_GETLINK,
  body: (writer) => writer.raw(LINK_HEADER),
  what: 'listing links',
};

const byName = (type: number, name: string): NetlinkRequest => ({
  type,
  body(writer) {
    writer.raw(LINK_HEADER);
    writer.string(IFLA_IFNAME, name);
  },
  what: `link ${name}`,
});

function bridgeBody(name: string): (writer: MessageWriter) => void {
  return (writer) => {
    writer.raw(LINK_HEADER);
    writer.string(IFLA_IFNAME, name);
    writer.nested(IFLA_LINKINFO, (info) => info.string(IFLA_INFO_KIND, 'bridge'));
  };
}

const addBridge = (name: string): NetlinkRequest => ({
  type: RTM_NEWLINK,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: bridgeBody(name),
  what: `adding bridge ${name}`,
});

describe('NetlinkSocket', () => {
  it('works in the namespace that it was opened in', () => {
    using namespace = freshNamespace('sockets');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    socket.ask(addBridge('inside'));
    expect(socket.dump(listLinks, nameOf)).toEqual(['lo', 'inside']);
    expect(ip(namespace, '-br link')).toContain('inside');
    using home = NetlinkSocket.open({ protocol: NETLINK_ROUTE });
    expect(home.dump(listLinks, nameOf)).not.toContain('inside');
  });

  it('answers a single thing', () => {
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE });
    expect(socket.ask(byName(RTM_GETLINK, 'lo')).map(nameOf)).toEqual(['lo']);
    expect(socket.portId).toBeGreaterThan(0);
  });

  it('says what was refused, in the words of the kernel, and goes on', () => {
    using namespace = freshNamespace('refusals');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    expect(() => socket.ask(byName(RTM_DELLINK, 'nowhere'))).toThrow(
      expect.objectContaining({ code: 'KERNEL_NOT_FOUND', message: 'link nowhere failed: ENODEV' }),
    );
    socket.ask(addBridge('twice'));
    expect(() => socket.ask(addBridge('twice'))).toThrow(expect.objectContaining({ code: 'KERNEL_EXISTS' }));
    // A strict kernel refuses a dump with a header that means nothing, and says which part of it.
    const header = Uint8Array.from(LINK_HEADER).fill(0xff, 12);
    const nonsense = { ...listLinks, body: (writer: MessageWriter) => writer.raw(header) };
    expect(() => socket.dump(nonsense, nameOf)).toThrow(
      /Invalid values in header for link dump request \(EINVAL\)/,
    );
    expect(socket.dump(listLinks, nameOf)).toEqual(['lo', 'twice']);
  });

  it('goes on after a reader threw in the middle of a dump', () => {
    using namespace = freshNamespace('broken reader');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    for (let index = 0; index < 60; index += 1) socket.ask(addBridge(`b${index}`));
    expect(() =>
      socket.dump(listLinks, () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(socket.dump(listLinks, nameOf)).toHaveLength(61);
  });

  it('reads a list again that changed while it was read', () => {
    using namespace = freshNamespace('changing');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    using other = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    for (let index = 0; index < 100; index += 1) socket.ask(addBridge(`b${index}`));
    let read = 0;
    const names = socket.dump(listLinks, (message) => {
      read += 1;
      // The first page is read, others wait in the kernel.
      if (read === 1) other.ask(addBridge('late'));
      return nameOf(message);
    });
    expect(names).toHaveLength(102);
    expect(new Set(names).size).toBe(102);
    expect(read).toBeGreaterThan(102);
  });

  it('reports each refused request of a batch by its number', () => {
    using namespace = freshNamespace('batch');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    const writer = new MessageWriter();
    const sequences = ['a', 'b', 'a', 'c'].map((name) => {
      const sequence = socket.nextSequence();
      writer.message(
        RTM_NEWLINK,
        NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
        sequence,
        bridgeBody(name),
      );
      return sequence;
    });
    const answer = socket.batch(writer, 'adding four bridges');
    expect(answer.refusals).toEqual([expect.objectContaining({ errno: 17, sequence: sequences[2] })]);
    expect(answer.acknowledged).toEqual([sequences[0], sequences[1], sequences[3]]);
    expect(socket.dump(listLinks, nameOf)).toEqual(['lo', 'a', 'b', 'c']);
  });

  it('says when answers were lost, and is usable after that', () => {
    using namespace = freshNamespace('lost answers');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace, receiveBufferBytes: 2304 });
    const writer = new MessageWriter();
    for (let index = 0; index < 100; index += 1) {
      writer.message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, socket.nextSequence(), (body) => {
        body.raw(LINK_HEADER);
        body.string(IFLA_IFNAME, 'lo');
      });
    }
    expect(() => socket.batch(writer, 'asking too much')).toThrow(
      expect.objectContaining({ code: 'KERNEL_OVERRUN' }),
    );
    expect(socket.dump(listLinks, nameOf)).toEqual(['lo']);
  });

  it('refuses work after its end', () => {
    const socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE });
    socket[Symbol.dispose]();
    socket[Symbol.dispose]();
    expect(() => socket.dump(listLinks, nameOf)).toThrow(expect.objectContaining({ code: 'KERNEL_CLOSED' }));
  });

  it('sends more than the default buffer holds if it was made for that', () => {
    using namespace = freshNamespace('large');
    const writer = new MessageWriter();
    using small = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    using large = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace, sendBufferBytes: 2 ** 21 });
    const noop = (socket: NetlinkSocket): void =>
      writer.message(1, 0, socket.nextSequence(), (body) => body.raw(new Uint8Array(1000)));
    for (let index = 0; index < 1000; index += 1) noop(large);
    expect(() => small.batch(writer, 'a megabyte')).toThrow(
      expect.objectContaining({ code: 'KERNEL_MESSAGE_TOO_LONG' }),
    );
    expect(large.batch(writer, 'a megabyte').refusals).toEqual([]);
  });

  it('leaves no descriptor behind after a thousand of them', () => {
    using namespace = Netns.create();
    NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace })[Symbol.dispose]();
    const before = openDescriptors();
    for (let round = 0; round < 1000; round += 1) {
      using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
      socket.dump(listLinks, nameOf);
    }
    expect(() => NetlinkSocket.open({ protocol: 31, namespace })).toThrow(/opening netlink socket 31/);
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });
});

describe('NetlinkListener', () => {
  function listen(namespace: Netns, receiveBufferBytes?: number) {
    const heard: string[] = [];
    const listener = NetlinkListener.open(
      {
        protocol: NETLINK_ROUTE,
        groups: [RTNLGRP_LINK],
        namespace,
        ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
      },
      {
        event: (message) => heard.push(nameOf(message) ?? '?'),
        overrun: () => heard.push('overrun'),
        failed: (error) => heard.push(String(error)),
      },
    );
    return { heard, listener };
  }

  it('hears what is changed in its namespace, and in no other', async () => {
    using namespace = freshNamespace('listening');
    using other = freshNamespace('elsewhere');
    const { heard, listener } = listen(namespace);
    ip(other, 'link add far type bridge');
    ip(namespace, 'link add near type bridge');
    await until('an event about near', () => heard.includes('near'));
    expect(heard).not.toContain('far');
    listener[Symbol.dispose]();
  });

  it('reports an overrun once and hears again afterwards', async () => {
    using namespace = freshNamespace('overrun');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    const { heard, listener } = listen(namespace, 2304);
    for (let index = 0; index < 50; index += 1) socket.ask(addBridge(`b${index}`));
    await until('an overrun', () => heard.includes('overrun'));
    socket.ask(addBridge('later'));
    await until('an event after the overrun', () => heard.includes('later'));
    expect(heard.filter((word) => word === 'overrun')).toHaveLength(1);
    listener[Symbol.dispose]();
  });

  it('ends, and says why, when hearing throws', async () => {
    using namespace = freshNamespace('throwing');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    const failures: unknown[] = [];
    let calls = 0;
    NetlinkListener.open(
      { protocol: NETLINK_ROUTE, groups: [RTNLGRP_LINK], namespace },
      {
        event() {
          calls += 1;
          throw new Error('boom');
        },
        overrun: () => undefined,
        failed: (error) => failures.push(error),
      },
    );
    socket.ask(addBridge('a'));
    await until('the failure', () => failures.length > 0);
    socket.ask(addBridge('b'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([new Error('boom')]);
    expect(calls).toBe(1);
  });

  it('leaves no descriptor and no callback behind after a thousand of them', async () => {
    using namespace = freshNamespace('leak');
    using socket = NetlinkSocket.open({ protocol: NETLINK_ROUTE, namespace });
    listen(namespace).listener[Symbol.dispose]();
    const before = openDescriptors();
    const late: string[] = [];
    for (let round = 0; round < 1000; round += 1) {
      const { heard, listener } = listen(namespace);
      if (round % 100 === 0) {
        socket.ask(addBridge(`b${round}`));
        await until('the event', () => heard.length > 0);
      }
      listener[Symbol.dispose]();
      late.push(...heard.splice(0).filter((word) => word === 'overrun'));
    }
    expect(openDescriptors()).toBeLessThanOrEqual(before);
    expect(late).toEqual([]);
  });
});
