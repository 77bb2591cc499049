/** The only adapter of `Sys`: libc through koffi. Nothing else may import koffi. */
import { constants } from 'node:os';
import koffi from 'koffi';
import { SO_ATTACH_FILTER, SOL_SOCKET } from './constants.ts';
import type { Sys } from './sys.ts';

const { EINTR } = constants.errno;
const INSTRUCTION_BYTES = 8;

type Argument = number | string | Uint8Array | null | Readonly<Record<string, number | Uint8Array>>;
type Call = (...args: readonly Argument[]) => number;

interface Native {
  (...args: readonly Argument[]): number;
  async(...args: readonly (Argument | ((error: unknown, result: number) => void))[]): void;
}

const libc = koffi.load(null);

const call = (declaration: string): Call => repeated(libc.func(declaration));

/** A libc function that answers -1 and sets errno, as one that answers minus the errno and repeats after a signal. */
function repeated(native: Native): Call {
  return (...args) => {
    for (;;) {
      const result = native(...args);
      if (result !== -1) return result;
      const errno = koffi.errno();
      if (errno !== EINTR) return -errno;
    }
  };
}

/**
 * The same on a thread of libuv's pool. What is passed must not be touched before the answer is there. koffi brings the
 * errno along, but only for the time of the callback.
 */
function backgroundCall(declaration: string): (...args: readonly Argument[]) => Promise<number> {
  const native: Native = libc.func(declaration);
  const attempt = (args: readonly Argument[]): Promise<number> =>
    new Promise((resolve, reject) => {
      native.async(...args, (error, result) => {
        if (error === null) resolve(result === -1 ? -koffi.errno() : result);
        else reject(error);
      });
    });
  return async (...args) => {
    for (;;) {
      const result = await attempt(args);
      if (result !== -EINTR) return result;
    }
  };
}

const socket = call('int socket(int domain, int type, int protocol)');
const bind = call('int bind(int fd, const uint8_t *address, uint32_t length)');
const getsockname = call('int getsockname(int fd, uint8_t *address, uint8_t *length)');
const setsockopt = call(
  'int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t length)',
);
const getsockopt = call('int getsockopt(int fd, int level, int option, uint8_t *value, uint8_t *length)');
// The one option whose value holds a pointer.
const filterProgram = koffi.struct({ length: 'uint16_t', instructions: 'const uint8_t *' });
const attachFilter = repeated(
  libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(filterProgram), 'uint32_t']),
);
const SEND = 'intptr_t send(int fd, const uint8_t *bytes, size_t length, int flags)';
const send = call(SEND);
const sendInBackground = backgroundCall(SEND);
const sendto = call(
  'intptr_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
);
const RECV = 'intptr_t recv(int fd, uint8_t *into, size_t length, int flags)';
const recv = call(RECV);
const recvInBackground = backgroundCall(RECV);
const recvfrom = call(
  'intptr_t recvfrom(int fd, uint8_t *into, size_t length, int flags, uint8_t *address, uint8_t *addressLength)',
);
const ioctl = call('int ioctl(int fd, uintptr_t request, uint8_t *argument)');
const open = call('int open(const char *path, int flags)');
const lgetxattr = call(
  'intptr_t lgetxattr(const char *path, const char *name, uint8_t *into, size_t length)',
);
const lsetxattr = call(
  'int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t length, int flags)',
);
const setns = call('int setns(int fd, int kind)');
const unshare = call('int unshare(int kinds)');
// Older C libraries have no names for the pidfd calls; their numbers are the same on every architecture.
const syscall = call('intptr_t syscall(intptr_t number, intptr_t a, intptr_t b, intptr_t c, intptr_t d)');
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const nativeExit = libc.func('void _exit(int code)') as (code: number) => unknown;
const nativeClose = libc.func('int close(int fd)') as (fd: number) => number;

/** Passes `into.length` to a call that wants a pointer to the length, and answers the length that came back. */
function withLength(into: Uint8Array, run: (length: Uint8Array) => number): number {
  const length = new Uint32Array([into.length]);
  const result = run(new Uint8Array(length.buffer));
  return result < 0 ? result : (length[0] ?? 0);
}

export const linux: Sys = {
  socket,
  bind: (fd, address) => bind(fd, address, address.length),
  getsockname: (fd, into) => withLength(into, (length) => getsockname(fd, into, length)),
  setsockopt: (fd, level, option, value) => setsockopt(fd, level, option, value, value.length),
  getsockopt: (fd, level, option, into) =>
    withLength(into, (length) => getsockopt(fd, level, option, into, length)),
  attachFilter: (fd, instructions) =>
    attachFilter(
      fd,
      SOL_SOCKET,
      SO_ATTACH_FILTER,
      { length: instructions.length / INSTRUCTION_BYTES, instructions },
      koffi.sizeof(filterProgram),
    ),
  send: (fd, bytes, flags) => send(fd, bytes, bytes.length, flags),
  sendto: (fd, bytes, flags, address) => sendto(fd, bytes, bytes.length, flags, address, address.length),
  recv: (fd, into, flags) => recv(fd, into, into.length, flags),
  sendInBackground: (fd, bytes, flags) => sendInBackground(fd, bytes, bytes.length, flags),
  recvInBackground: (fd, into, flags) => recvInBackground(fd, into, into.length, flags),
  recvfrom(fd, into, flags, from) {
    const length = new Uint8Array(new Uint32Array([from.length]).buffer);
    return recvfrom(fd, into, into.length, flags, from, length);
  },
  ioctl,
  open,
  // Never repeated: after EINTR the descriptor is closed already, and its number may belong to somebody else.
  close: (fd) => (nativeClose(fd) === -1 ? -koffi.errno() : 0),
  lgetxattr: (path, name, into) => lgetxattr(path, name, into, into.length),
  lsetxattr: (path, name, value) => lsetxattr(path, name, value, value.length, 0),
  setns,
  unshare,
  pidfdOpen: (pid) => syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0),
  pidfdProbe: (pidfd) => syscall(SYS_PIDFD_SEND_SIGNAL, pidfd, 0, 0, 0),
  exit(code) {
    nativeExit(code);
    throw new Error('the process did not end');
  },
  onReadable: watchReadable,
};

/**
 * koffi calls back straight from libuv's poll phase, where promises do not run and a throw leaves the event loop hung.
 * So that callback does nothing but ask for a turn of its own. And libuv stops watching a descriptor that reports an
 * error (status below zero), such as an overrun or an interface that went down, although reading it clears the error:
 * so the watch begins anew once it was read.
 */
function watchReadable(fd: number, drain: () => void): Disposable {
  let turn: NodeJS.Immediate | undefined;
  let stopped = false;
  let disposed = false;
  // koffi's types leave the status out: it stands before the events that they speak of.
  const onPoll = (status: unknown): void => {
    stopped ||= typeof status === 'number' && status < 0;
    turn ??= setImmediate(takeTurn);
  };
  const takeTurn = (): void => {
    turn = undefined;
    try {
      drain();
    } finally {
      if (stopped && !disposed) {
        stopped = false;
        handle.start(onPoll);
      }
    }
  };
  const handle = koffi.node.poll(fd, onPoll);
  return {
    // The handle is freed by its first close(); any later call on it would crash the process.
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      clearImmediate(turn);
      handle.close();
    },
  };
}
