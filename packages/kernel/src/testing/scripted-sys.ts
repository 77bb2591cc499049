import { constants } from 'node:os';
import type { Sys } from '../sys/index.ts';

const { EAGAIN, ENOSYS } = constants.errno;

/** A kernel that answers what it was told to answer, for what the real one cannot be made to say. */
export interface ScriptedSys extends Sys {
  /** What the next reads bring: a datagram, or minus an errno. Nothing left: EAGAIN. */
  readonly answers: (Buffer | number)[];
  readonly sent: Buffer[];
  /** Runs after each request, and may fill `answers`. */
  onSend: (bytes: Buffer) => void;
  /** As if the descriptor had become readable. */
  wake: () => void;
  readonly closed: number[];
}

export function scriptedSys(): ScriptedSys {
  const unsupported = (): number => -ENOSYS;
  const take = (into: Uint8Array): number => {
    const answer = sys.answers.shift();
    if (answer === undefined) return -EAGAIN;
    if (typeof answer === 'number') return answer;
    into.set(answer.subarray(0, into.length));
    return answer.length;
  };
  const send = (bytes: Uint8Array): number => {
    sys.sent.push(Buffer.from(bytes));
    sys.onSend(Buffer.from(bytes));
    return bytes.length;
  };
  const sys: ScriptedSys = {
    answers: [],
    sent: [],
    closed: [],
    onSend: () => undefined,
    wake: () => undefined,
    socket: () => 100,
    bind: () => 0,
    getsockname: (_, into) => {
      into.set([16, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0]);
      return 12;
    },
    setsockopt: () => 0,
    getsockopt: unsupported,
    send: (_, bytes) => send(bytes),
    sendto: unsupported,
    recv: (_, into) => take(into),
    recvfrom: unsupported,
    sendInBackground: async (_, bytes) => send(bytes),
    recvInBackground: async (_, into) => take(into),
    attachFilter: unsupported,
    ioctl: unsupported,
    open: unsupported,
    close: (fd) => {
      sys.closed.push(fd);
      return 0;
    },
    lgetxattr: unsupported,
    lsetxattr: unsupported,
    setns: unsupported,
    unshare: unsupported,
    pidfdOpen: unsupported,
    pidfdProbe: unsupported,
    exit: (code) => {
      throw new Error(`a process of a test may not end: ${code}`);
    },
    onReadable: (_, drain) => {
      sys.wake = drain;
      return {
        [Symbol.dispose]: () => {
          sys.wake = () => undefined;
        },
      };
    },
  };
  return sys;
}
