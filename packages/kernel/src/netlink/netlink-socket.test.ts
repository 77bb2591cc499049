import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { scriptedSys } from '../testing/scripted-sys.ts';
import {
  BackgroundDumps,
  MessageWriter,
  NETLINK_ROUTE,
  NetlinkListener,
  type NetlinkRequest,
  NetlinkSocket,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './index.ts';

const question: NetlinkRequest = {
  type: 18,
  body: (writer) => writer.raw(new Uint8Array(4)),
  what: 'asking',
};
const ROW = 16;

type Answer = readonly [type: number, sequence: number, payload?: readonly number[], flags?: number];

function datagram(...answers: readonly Answer[]): Buffer {
  const writer = new MessageWriter();
  for (const [type, sequence, payload = [], flags = 0] of answers) {
    writer.message(type, flags, sequence, () => writer.raw(Uint8Array.from(payload)));
  }
  return Buffer.from(writer.bytes);
}

const success = [0, 0, 0, 0];
const sequenceOf = (request: Buffer): number => request.readUInt32LE(8);

function open() {
  const sys = scriptedSys();
  return { sys, socket: NetlinkSocket.open({ protocol: NETLINK_ROUTE, sys }) };
}

describe('NetlinkSocket', () => {
  it('knows its own name', () => {
    expect(open().socket.portId).toBe(42);
  });

  it('says when the kernel does not answer', () => {
    const { socket } = open();
    expect(() => socket.ask(question)).toThrow(expect.objectContaining({ code: 'KERNEL_NO_ANSWER' }));
    expect(() => socket.dump(question, (message) => message)).toThrow(
      expect.objectContaining({ code: 'KERNEL_NO_ANSWER' }),
    );
  });

  it('passes over what belongs to an earlier request', () => {
    const { sys, socket } = open();
    sys.onSend = (request) => {
      const now = sequenceOf(request);
      sys.answers.push(datagram([ROW, now - 1, [1]], [NLMSG_ERROR, now - 1, [0xff, 0xff, 0xff, 0xff]]));
      sys.answers.push(datagram([ROW, now, [2]], [NLMSG_ERROR, now, success]));
    };
    expect(socket.ask(question).map(({ payload }) => payload[0])).toEqual([2]);
  });

  it('says when an answer makes no sense, and is usable after that', () => {
    const { sys, socket } = open();
    const nonsense = [
      Buffer.alloc(3),
      Buffer.alloc(16),
      Buffer.alloc(40, 0xff),
      datagram([NLMSG_ERROR, 1, [1]]),
    ];
    for (const answer of nonsense) {
      sys.answers.push(answer);
      sys.onSend = (request) => answer.length > 12 && answer.writeUInt32LE(sequenceOf(request), 8);
      expect(() => socket.ask(question)).toThrow(expect.objectContaining({ code: 'KERNEL_MALFORMED' }));
    }
    sys.onSend = (request) => sys.answers.push(datagram([NLMSG_ERROR, sequenceOf(request), success]));
    expect(socket.ask(question)).toEqual([]);
  });

  it('does not meet the rest of an answer that it gave up on', () => {
    const { sys, socket } = open();
    sys.answers.push(Buffer.alloc(3), datagram([NLMSG_ERROR, 1, [0xff, 0xff, 0xff, 0xff]]));
    expect(() => socket.ask(question)).toThrow(expect.objectContaining({ code: 'KERNEL_MALFORMED' }));
    expect(socket.batch(new MessageWriter(), 'nothing')).toEqual({
      refusals: [],
      acknowledged: [],
      messages: [],
    });
  });

  it('reads a list again that changed meanwhile, but not for ever', () => {
    const { sys, socket } = open();
    let interruptions = 3;
    sys.onSend = (request) => {
      const flags = NLM_F_MULTI | (interruptions-- > 0 ? NLM_F_DUMP_INTR : 0);
      sys.answers.push(datagram([ROW, sequenceOf(request), [1], flags]));
      sys.answers.push(datagram([NLMSG_DONE, sequenceOf(request), success, flags]));
    };
    expect(socket.dump(question, ({ payload }) => payload[0])).toEqual([1]);
    expect(sys.sent).toHaveLength(4);
    interruptions = Number.POSITIVE_INFINITY;
    expect(() => socket.dump(question, () => 1)).toThrow(expect.objectContaining({ code: 'KERNEL_STALE' }));
    expect(sys.sent).toHaveLength(24);
  });

  it('passes on an error that ends a list half-way', () => {
    const { sys, socket } = open();
    sys.onSend = (request) => {
      sys.answers.push(datagram([ROW, sequenceOf(request), [1]]));
      sys.answers.push(datagram([NLMSG_DONE, sequenceOf(request), [0xf4, 0xff, 0xff, 0xff]]));
    };
    expect(() => socket.dump(question, () => 1)).toThrow(/asking failed: ENOMEM/);
  });

  it('takes a datagram that is larger than its buffer for lost, and makes room for the next', () => {
    const { sys, socket } = open();
    const huge = (sequence: number): Buffer =>
      datagram([ROW, sequence, Array.from({ length: 70_000 }, () => 1)], [NLMSG_ERROR, sequence, success]);
    sys.onSend = (request) => sys.answers.push(huge(sequenceOf(request)));
    expect(() => socket.ask(question)).toThrow(expect.objectContaining({ code: 'KERNEL_OVERRUN' }));
    expect(socket.ask(question)[0]?.payload).toHaveLength(70_000);
  });

  it('closes its descriptor when it cannot be set up, and once only', () => {
    const broken = { ...scriptedSys(), bind: () => -constants.errno.EPERM };
    expect(() => NetlinkSocket.open({ protocol: NETLINK_ROUTE, sys: broken })).toThrow(/EPERM/);
    expect(broken.closed).toEqual([100]);
    const { sys, socket } = open();
    socket[Symbol.dispose]();
    socket[Symbol.dispose]();
    expect(sys.closed).toEqual([100]);
  });

  it('goes as far as the system lets it where it may not size its buffers freely', () => {
    const asked: number[] = [];
    const sys = {
      ...scriptedSys(),
      setsockopt: (_: number, level: number, option: number) => {
        if (level === 1) asked.push(option);
        return option === 32 || option === 33 ? -constants.errno.EPERM : 0;
      },
    };
    NetlinkSocket.open({ protocol: NETLINK_ROUTE, sys, sendBufferBytes: 1, receiveBufferBytes: 1 });
    expect(asked).toEqual([32, 7, 33, 8]);
  });
});

describe('BackgroundDumps', () => {
  it('passes on errors of sending, of reading and in the answer, and closes its socket', async () => {
    const read = async (prepare: (sys: ReturnType<typeof scriptedSys>) => object): Promise<unknown> => {
      const plain = scriptedSys();
      const sys = Object.assign(plain, prepare(plain));
      const dumps = new BackgroundDumps({ protocol: NETLINK_ROUTE, sys });
      const failure = await Array.fromAsync(dumps.pages(question)).catch((error: unknown) => error);
      dumps[Symbol.dispose]();
      expect(sys.closed).toEqual([100]);
      return failure;
    };
    expect(await read(() => ({ sendInBackground: async () => -constants.errno.ENOMEM }))).toMatchObject({
      code: 'KERNEL_RESOURCES',
    });
    expect(await read(() => ({}))).toMatchObject({ message: 'asking failed: EAGAIN' });
    expect(
      await read((sys) => ({
        onSend: () => sys.answers.push(datagram([NLMSG_ERROR, 1, [0xff, 0xff, 0xff, 0xff]])),
      })),
    ).toMatchObject({ code: 'KERNEL_NOT_PERMITTED' });
    expect(
      await read((sys) => ({
        onSend: () => sys.answers.push(datagram([ROW, 1]), datagram([NLMSG_DONE, 1, success])),
      })),
    ).toMatchObject([
      { messages: [{ type: ROW }], last: false },
      { messages: [], last: true },
    ]);
  });

  it('takes the same socket for the next one, unless the last was left half-way', async () => {
    let opened = 0;
    const sys = scriptedSys();
    Object.assign(sys, { socket: () => 100 + opened++ });
    sys.onSend = () => {
      const sequence = sys.sent.at(-1)?.readUInt32LE(8) ?? 0;
      sys.answers.push(datagram([ROW, sequence]), datagram([NLMSG_DONE, sequence, success]));
    };
    using dumps = new BackgroundDumps({ protocol: NETLINK_ROUTE, sys });
    for (let round = 0; round < 3; round++) {
      expect(await Array.fromAsync(dumps.pages(question))).toMatchObject([{ last: false }, { last: true }]);
    }
    expect({ opened, closed: sys.closed }).toEqual({ opened: 1, closed: [] });
    for await (const _page of dumps.pages(question)) break;
    expect(sys.closed).toEqual([100]);
    sys.answers.length = 0;
    expect(await Array.fromAsync(dumps.pages(question))).toHaveLength(2);
    expect(opened).toBe(2);
  });
});

describe('NetlinkListener', () => {
  function listen(onEvent: () => void = () => undefined) {
    const sys = scriptedSys();
    const heard: string[] = [];
    const listener = NetlinkListener.open(
      { protocol: NETLINK_ROUTE, groups: [1], sys },
      {
        event: ({ payload }) => {
          heard.push(`event ${payload[0]}`);
          onEvent();
        },
        overrun: () => heard.push('overrun'),
        failed: (error) => heard.push(String(error)),
      },
    );
    return { sys, heard, listener };
  }

  it('throws away what waited when events were lost, since the state is read afresh then', () => {
    const { sys, heard } = listen();
    sys.answers.push(datagram([ROW, 0, [1]]), -constants.errno.ENOBUFS, datagram([ROW, 0, [2]]));
    sys.wake();
    expect(heard).toEqual(['event 1', 'overrun']);
    sys.answers.push(datagram([ROW, 0, [3]]));
    sys.wake();
    expect(heard).toEqual(['event 1', 'overrun', 'event 3']);
  });

  it('gives others a turn while the kernel talks on and on', () => {
    const { sys, heard } = listen();
    for (let index = 0; index < 200; index += 1) sys.answers.push(datagram([ROW, 0, [1]]));
    sys.wake();
    expect(heard).toHaveLength(64);
    for (let turn = 0; turn < 3; turn += 1) sys.wake();
    expect(heard).toHaveLength(200);
  });

  it('ends when its descriptor cannot be read any more, instead of waking for ever', () => {
    const { sys, heard } = listen();
    sys.answers.push(-constants.errno.EBADF);
    sys.wake();
    expect(heard).toEqual([expect.stringContaining('EBADF')]);
    expect(sys.closed).toEqual([100]);
  });

  it('ends with a clear error when an event makes no sense', () => {
    const { sys, heard } = listen();
    sys.answers.push(Buffer.alloc(7));
    sys.wake();
    expect(heard).toEqual([expect.stringContaining('a netlink message is malformed')]);
    expect(sys.closed).toEqual([100]);
  });

  it('says nothing more once it is disposed of, also from within an event', () => {
    const { sys, heard, listener } = listen(() => listener[Symbol.dispose]());
    sys.answers.push(datagram([ROW, 0, [1]], [ROW, 0, [2]]), datagram([ROW, 0, [3]]));
    sys.wake();
    expect(heard).toEqual(['event 1']);
    expect(sys.closed).toEqual([100]);
  });
});
